import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { removeFolder } from '../../helpers.js';
import { median, timeMs } from '../measure.js';
import { makeSampleLake } from './sample-lake.js';
import type { Scene } from './scene.js';

const BIN = join(fileURLToPath(new URL('../../../', import.meta.url)), 'bin', 'hx.js');

/** One question as a process of its own, beside a process that does nothing. */
export const scene: Scene = {
  async play() {
    const dataDir = await makeSampleLake(10, 2);
    const env = { PATH: process.env['PATH'], HX_DATA_DIR: dataDir };
    const run = (argv: string[]) => execFileSync(process.execPath, argv, { stdio: 'ignore', env });
    const runs = { runs: 15, warmUp: 2 };
    const bare = median(await timeMs(() => run(['-e', '0']), runs));
    const times = await timeMs(() => run([BIN, 'query', 'SELECT count(*) FROM checks']), runs);
    removeFolder(dataDir);
    const detail = `10 files; node -e 0 takes ${bare.toFixed(0)} ms; worst of 15: ${Math.max(...times).toFixed(0)} ms`;
    return [{ name: 'one-shot hx query', value: median(times) / 1_000, unit: 's', limit: 0.25, detail }];
  },
};
