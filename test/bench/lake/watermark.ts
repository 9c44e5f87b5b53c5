import { invoke } from '../../../src/handlers/index.js';
import { removeFolder } from '../../helpers.js';
import { openExportBench } from './export-bench.js';
import { fillChecks } from './sample-checks.js';
import type { Scene } from './scene.js';
import { writeSideBySide } from './watermark-writers.js';

const ROWS = 100_000;

/** Exports without a pause while sixteen writers commit out of order, and proves the lake against the database. */
export const scene: Scene = {
  async play(say) {
    const bench = await openExportBench();
    await fillChecks(bench.database.sql, 1, 1);
    let isWriting = true;
    const writing = writeSideBySide({
      ...{ url: bench.database.url, writers: 16, rowsOfTransaction: 20, longestMs: 400 },
      isWanted: (rows) => rows < ROWS,
    }).finally(() => {
      isWriting = false;
    });
    let exports = 0;
    while (isWriting) {
      const { rows } = await invoke('exportChecks', {}, bench.context);
      exports += 1;
      say(`export ${exports} brought ${rows} checks`);
    }
    const stored = (await writing) + 1;
    await invoke('exportChecks', {}, bench.context);
    const { days, problems } = await invoke('exportVerify', {}, bench.context);
    const count = (problem: string) => problems.filter((one) => one.problem === problem).length;
    const inLake = days.reduce((sum, day) => sum + day.in_lake, 0);
    await bench.close();
    removeFolder(bench.dataDir);
    const detail = `${inLake} of ${stored} in the lake after ${exports} exports beside 16 writers, transactions up to 400 ms`;
    return [
      { name: 'checks missed', value: stored - inLake, unit: '', limit: 0, detail },
      { name: 'checks double', value: count('double'), unit: '', limit: 0, detail },
    ];
  },
};
