import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { withSnapshot } from '../../../src/operational/export.js';
import { removeFolder } from '../../helpers.js';
import { median, runMeasured } from '../measure.js';
import { openExportBench } from './export-bench.js';
import { fillChecks } from './sample-checks.js';
import type { Scene } from './scene.js';

/** `HX_BENCH_ROWS` makes it smaller, for a look at the ratio on a busy machine. */
const ROWS = Number(process.env['HX_BENCH_ROWS'] ?? 1_000_000);
const DAYS = 30;
const RUNS = 3;

/** `hx export checks` of a million checks as a process of its own, beside the same COPY into nothing. */
export const scene: Scene = {
  async play(say) {
    const bench = await openExportBench();
    say(`storing ${ROWS} checks`);
    await fillChecks(bench.database.sql, ROWS, DAYS);
    const [copies, exports, peaks]: number[][] = [[], [], []];
    for (let round = 0; round < RUNS; round += 1) {
      copies?.push(await copyIntoNothing(bench));
      const { seconds, megabytes } = await runMeasured(['export', 'checks', '--json', '--quiet'], {
        HX_DATA_DIR: bench.dataDir,
        DATABASE_URL: bench.database.url,
      });
      exports?.push(seconds);
      peaks?.push(megabytes);
      say(`COPY ${copies?.at(-1)?.toFixed(1)} s, export ${seconds.toFixed(1)} s, ${megabytes.toFixed(0)} MB`);
      rmSync(join(bench.dataDir, 'exports'), { recursive: true });
    }
    await bench.close();
    removeFolder(bench.dataDir);
    const detail = `${ROWS} checks of ${DAYS} days, medians of ${RUNS}: ${median(exports ?? []).toFixed(1)} s against ${median(copies ?? []).toFixed(1)} s`;
    return [
      {
        name: 'export against COPY',
        value: median(exports ?? []) / median(copies ?? []),
        unit: 'x',
        limit: 1.6,
        detail,
      },
      {
        name: 'peak of the export',
        value: Math.max(...(peaks ?? [])),
        unit: 'MB',
        limit: 700,
        detail: 'VmHWM of the process',
      },
    ];
  },
};

/** Seconds that the same rows take out of Postgres when nobody does anything with them. */
async function copyIntoNothing({ context }: Awaited<ReturnType<typeof openExportBench>>): Promise<number> {
  const database = await context.lanes.database();
  const started = performance.now();
  await withSnapshot(database, context.signal, async (snapshot) => {
    const selection = { range: { lo: 0n, hi: 2n ** 63n, since: null, until: null }, without: [] };
    for (const group of await snapshot.count(selection)) {
      for await (const _ of snapshot.copy(selection, group));
    }
  });
  return (performance.now() - started) / 1_000;
}
