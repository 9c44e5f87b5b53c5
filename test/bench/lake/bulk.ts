import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { openLakeEngine } from '../../../src/lake/engine/engine.js';
import { exportsFolder } from '../../../src/lake/files/partition.js';
import { makeTempFolder, removeFolder } from '../../helpers.js';
import { runRows } from '../../lake/collect.js';
import { putFile } from '../../lake/files.js';
import { type Figure, median, timeMs } from '../measure.js';
import { against } from './against.js';
import { filesWithoutViews, QUESTIONS, sampleRow, scaled } from './sample-lake.js';
import type { Scene } from './scene.js';

const ROWS = 1_000_000;
const DAYS = 130;
const RUNS = { runs: 7, warmUp: 2 };

/** A lake of a file a day, as compaction leaves it, against the files without views; and the same rows in one file. */
export const scene: Scene = {
  async play(say) {
    const rows = scaled(ROWS);
    say(`writing ${rows} rows of ${DAYS} days`);
    const dataDir = makeTempFolder();
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    const folders = join(exportsFolder(dataDir), 'local', 'dt=');
    const pattern = await putFile(makeTempFolder(), 'r-s3-pattern.parquet', [sampleRow(1, 1)]);
    for (let day = 0; day < DAYS; day += 1) {
      const date = new Date(Date.UTC(2026, 0, 1 + day)).toISOString().slice(0, 10);
      const path = join(`${folders}${date}`, `x-s3-1234abcd-${day}-${day + 1}.parquet`);
      mkdirSync(dirname(path), { recursive: true });
      await connection.run(`COPY (
        SELECT pattern.* REPLACE (
          md5('${day} ' || i)::UUID AS run_id, TIMESTAMPTZ '${date} 00:00:00Z' + to_seconds(i % 86400) AS created_at,
          'simulator/m' || i % 7 AS model, i % 100 / 100.0 AS prob_true_rpl, i % 7 <> 3 AS gate_width
        ) FROM range(${Math.ceil(rows / DAYS)}) AS numbers(i), read_parquet('${pattern}') AS pattern
      ) TO '${path}' (FORMAT parquet, COMPRESSION zstd)`);
    }
    const files = filesWithoutViews(folders);
    const one = join(dataDir, 'one.parquet');
    await connection.run(`SET GLOBAL parquet_metadata_cache = true; SET GLOBAL TimeZone = 'UTC';
      COPY (FROM ${files} ORDER BY created_at) TO '${one}' (FORMAT parquet, COMPRESSION zstd)`);
    const engine = await openLakeEngine({ dataDir });
    const figures: Figure[] = [];
    for (const [name, sql] of Object.entries(QUESTIONS)) {
      const rawMs = async (source: string) =>
        median(
          await timeMs(() => connection.runAndReadAll(sql.replace('FROM checks', `FROM ${source}`)), RUNS),
        );
      const lakeMs = median(await timeMs(() => runRows(engine, sql), RUNS));
      const [oneMs, filesMs] = [await rawMs(`'${one}'`), await rawMs(files)];
      const detail = `${lakeMs.toFixed(1)} ms; ${DAYS} files without views ${filesMs.toFixed(1)} ms; one file ${oneMs.toFixed(1)} ms`;
      figures.push(
        against(`${name}: ${rows} rows`, { oursMs: lakeMs, theirsMs: filesMs, questions: 1 }, detail),
      );
    }
    engine.close();
    connection.closeSync();
    instance.closeSync();
    removeFolder(dataDir);
    return figures;
  },
};
