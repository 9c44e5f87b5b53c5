import { exportsFolder } from '../../../src/lake/partition.js';
import { LocalStorage } from '../../../src/lake/storage/local.js';
import { appendRun } from '../../../src/lake/writer.js';
import { makeTempFolder, removeFolder } from '../../helpers.js';
import { median, timeMs } from '../measure.js';
import { sampleRow } from './sample-lake.js';
import type { Scene } from './scene.js';

/** Appends a run after another: each is durable before the next. */
export const scene: Scene = {
  async play() {
    const dataDir = makeTempFolder();
    const storage = new LocalStorage(exportsFolder(dataDir));
    let number = 0;
    const work = () => {
      number += 1;
      return appendRun(storage, sampleRow(number, 1));
    };
    const times = await timeMs(work, { runs: 301, warmUp: 30 });
    removeFolder(dataDir);
    const detail = `one day, with fsync; worst of 301: ${Math.max(...times).toFixed(1)} ms`;
    return [{ name: 'append of one run', value: median(times), unit: 'ms', limit: 2.5, detail }];
  },
};
