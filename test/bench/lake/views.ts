import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { compact } from '../../../src/lake/compaction/compact.js';
import { openLakeEngine } from '../../../src/lake/engine/engine.js';
import { exportsFolder } from '../../../src/lake/files/partition.js';
import { LocalStorage } from '../../../src/lake/storage/local.js';
import { removeFolder } from '../../helpers.js';
import { runRows } from '../../lake/collect.js';
import { type Figure, median, timeMs } from '../measure.js';
import { against } from './against.js';
import { filesWithoutViews, makeSampleLake, QUESTIONS, scaled } from './sample-lake.js';
import type { Scene } from './scene.js';

/** How many files, and over how many days. */
const LAKES = [
  [10, 1],
  [1_000, 10],
  [50_000, 130],
] as const;

/** Of more files hx keeps no footers, and a question takes seconds. */
const FEW_FILES = 8_000;

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
  const name = `${files} files`;
  const small = await askBoth(dataDir, files, files > FEW_FILES ? 3 : 11);
  const figures = [
    { name: `views ready, ${name}`, value: opened, unit: 'ms', limit: 30, detail: 'opening and closing' },
    againstFiles(name, small),
  ];
  const one = await askOneFile(dataDir, files);
  const storage = new LocalStorage(exportsFolder(dataDir));
  const now = () => new Date();
  const compaction = { storage, dataDir, environment: 'local', urgency: 'any', now } as const;
  const startedMs = performance.now();
  await compact(compaction);
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
  await compact({ ...compaction, now: () => new Date(Date.now() + 86_400_000) });
  const figure = againstFiles(`${name}, compacted`, await askBoth(dataDir, FEW_FILES, 21));
  const detail = `${figure.detail}; one file: ${told(one)}; compacted in ${seconds} s`;
  return [...figures, { ...figure, detail }];
}

/** Milliseconds of each question. */
type Answered = Record<string, number>;

interface Both {
  readonly lake: Answered;
  readonly raw: Answered;
}

function againstFiles(name: string, { lake, raw }: Both): Figure {
  const questions = Object.keys(raw).length;
  const detail = `${told(lake)}; files without views: ${told(raw)}`;
  return against(name, { oursMs: sum(lake), theirsMs: sum(raw), questions }, detail);
}

function sum(times: Answered): number {
  return Object.values(times).reduce((total, ms) => total + ms, 0);
}

/** The lake and its files without views in turn, so that a machine that drifts touches both. */
async function askBoth(dataDir: string, files: number, runs: number): Promise<Both> {
  const engine = await openLakeEngine({ dataDir });
  const { instance, ask } = await openRaw(files);
  const source = filesWithoutViews(join(exportsFolder(dataDir), 'local', 'dt='));
  const both: Both = { lake: {}, raw: {} };
  for (const [name, sql] of Object.entries(QUESTIONS)) {
    const [lake, raw]: [number[], number[]] = [[], []];
    const once = { runs: 1, warmUp: 0 };
    for (let run = -2; run < runs; run += 1) {
      const [lakeMs = 0] = await timeMs(() => runRows(engine, sql), once);
      const [rawMs = 0] = await timeMs(() => ask(sql, source), once);
      if (run < 0) continue;
      lake.push(lakeMs);
      raw.push(rawMs);
    }
    both.lake[name] = median(lake);
    both.raw[name] = median(raw);
  }
  engine.close();
  instance.closeSync();
  return both;
}

/** The same rows in one file. */
async function askOneFile(dataDir: string, count: number): Promise<Answered> {
  const { instance, ask, run } = await openRaw(count);
  const path = join(dataDir, 'one.parquet');
  const files = filesWithoutViews(join(exportsFolder(dataDir), 'local', 'dt='));
  await run(`COPY (FROM ${files} ORDER BY created_at) TO '${path}' (FORMAT parquet, COMPRESSION zstd)`);
  const answered: Answered = {};
  for (const [name, sql] of Object.entries(QUESTIONS)) {
    answered[name] = median(await timeMs(() => ask(sql, `'${path}'`), { runs: 21, warmUp: 2 }));
  }
  instance.closeSync();
  return answered;
}

/**
 * DuckDB on the same files. Without its caches, as half a megabyte for each of 50,000 files would take the whole
 * machine, and hx keeps none of so many either.
 */
async function openRaw(files: number) {
  const instance = await DuckDBInstance.create(':memory:', { enable_external_file_cache: 'false' });
  const connection = await instance.connect();
  const run = (sql: string) => connection.run(sql);
  await run(`SET GLOBAL parquet_metadata_cache = ${files <= FEW_FILES}; SET GLOBAL TimeZone = 'UTC'`);
  const ask = async (sql: string, source: string) =>
    (await connection.runAndReadAll(sql.replace('FROM checks', `FROM ${source}`))).getRowsJS();
  return { instance, run, ask };
}

function told(answered: Answered): string {
  return Object.entries(answered)
    .map(([name, ms]) => `${name} ${ms.toFixed(1)} ms`)
    .join(', ');
}
