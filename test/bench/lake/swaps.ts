import { makeTempFolder, removeFolder } from '../../helpers.js';
import { turmoil } from '../../lake/compaction/turmoil.js';
import { scaled } from './sample-lake.js';
import type { Scene } from './scene.js';

/** Node and five engines, each with the footers of a thousand files that are gone. */
const MAX_MEGABYTES = 1_500;

const TELL_EVERY = 500;

/** Reads while files are swapped under the readers' eyes and compactors are killed at any moment. */
export const scene: Scene = {
  async play(say) {
    const dataDir = makeTempFolder();
    const wanted = scaled(10_000);
    const { reads, kills, compactions, removed, rows, wrong } = await turmoil(dataDir, wanted, 2n, (done) => {
      if (done % TELL_EVERY === 0) say(`${done} of ${wanted} reads`);
    });
    removeFolder(dataDir);
    for (const line of wrong) say(line);
    const detail = `of ${reads}; ${kills} compactors killed, ${compactions} days compacted, ${removed} files removed, ${rows} rows`;
    const megabytes = process.memoryUsage.rss() / 1_000_000;
    return [
      { name: 'wrong reads during swaps', value: wrong.length, unit: '', limit: 0, detail },
      {
        name: 'memory of five engines after it',
        value: megabytes,
        unit: 'MB',
        limit: MAX_MEGABYTES,
        detail: 'resident, of a process that also wrote the files',
      },
    ];
  },
};
