import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { compact } from '../../../src/lake/compaction/compact.js';
import { openLakeEngine } from '../../../src/lake/engine.js';
import { exportsFolder } from '../../../src/lake/partition.js';
import { LocalStorage } from '../../../src/lake/storage/local.js';
import { removeFolder } from '../../helpers.js';
import { runRows } from '../../lake/collect.js';
import { type Figure, median, timeMs } from '../measure.js';
import { makeSampleLake, QUESTIONS, scaled } from './sample-lake.js';
import type { Scene } from './scene.js';

/** How many files, and over how many days. */
const LAKES = [
  [10, 1],
  [1_000, 10],
  [50_000, 130],
] as const;

/** What opening a lake and asking it costs, the more small files it has. */
export const scene: Scene = {
  async play(say) {
    const figures: Figure[] = [];
    for (const [count, days] of LAKES) {
      const files = scaled(count);
      say(`writing ${files} files`);
      const dataDir = await makeSampleLake(files, days);
      figures.push(...(await lakeFigures(dataDir, files)));
      removeFolder(dataDir);
    }
    return figures;
  },
};

async function lakeFigures(dataDir: string, files: number): Promise<Figure[]> {
  const open = async () => (await openLakeEngine({ dataDir })).close();
  const opened = median(await timeMs(open, { runs: 5, warmUp: 1 }));
  const small = await askLake(dataDir, files > 10_000 ? 3 : 11);
  const name = `${files} files`;
  const figures = [
    { name: `views ready, ${name}`, value: opened, unit: 'ms', limit: 30, detail: told(small) },
  ];
  const raw = await askOneFile(dataDir);
  const storage = new LocalStorage(exportsFolder(dataDir));
  const now = () => new Date();
  const compaction = { storage, dataDir, environment: 'local', urgency: 'any', now } as const;
  const startedMs = performance.now();
  await compact(compaction);
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
  await compact({ ...compaction, now: () => new Date(Date.now() + 86_400_000) });
  const compacted = await askLake(dataDir, 21);
  const sum = (times: Answered) => Object.values(times).reduce((total, ms) => total + ms, 0);
  const detail = `${told(compacted)}; one file: ${told(raw)}; compacted in ${seconds} s`;
  const value = sum(compacted) / sum(raw);
  return [...figures, { name: `compacted against one file, ${name}`, value, unit: 'x', limit: 1.2, detail }];
}

/** Milliseconds of each question. */
type Answered = Record<string, number>;

async function askLake(dataDir: string, runs: number): Promise<Answered> {
  const engine = await openLakeEngine({ dataDir });
  const answered: Answered = {};
  for (const [name, sql] of Object.entries(QUESTIONS)) {
    answered[name] = median(await timeMs(() => runRows(engine, sql), { runs, warmUp: 2 }));
  }
  engine.close();
  return answered;
}

/** The same rows in one file, asked by DuckDB without views. */
async function askOneFile(dataDir: string): Promise<Answered> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const path = join(dataDir, 'one.parquet');
  const files = join(exportsFolder(dataDir), 'local', 'dt=*', '*.parquet');
  await connection.run(`SET parquet_metadata_cache = true; COPY (
    FROM read_parquet('${files}', hive_partitioning = true) ORDER BY created_at
  ) TO '${path}' (FORMAT parquet, COMPRESSION zstd)`);
  const answered: Answered = {};
  for (const [name, sql] of Object.entries(QUESTIONS)) {
    const raw = sql.replace('FROM checks', `FROM '${path}'`);
    const work = async () => (await connection.runAndReadAll(raw)).getRowsJS();
    answered[name] = median(await timeMs(work, { runs: 21, warmUp: 2 }));
  }
  connection.closeSync();
  instance.closeSync();
  return answered;
}

function told(answered: Answered): string {
  return Object.entries(answered)
    .map(([name, ms]) => `${name} ${ms.toFixed(1)} ms`)
    .join(', ');
}
