import { exportsFolder } from '../../../src/lake/files/partition.js';
import { makeTempFolder } from '../../helpers.js';
import { putFile } from '../../lake/files.js';
import { lakeRow } from '../../lake/rows.js';

/** The first of a lake's days. */
const FIRST_DAY_MS = Date.UTC(2026, 0, 1);
const DAY_MS = 86_400_000;

/** Row `number` of a lake that covers so many days: some models, of which one is unsure. */
export function sampleRow(number: number, days: number) {
  const model = `simulator/m${number % 7}`;
  return lakeRow(number, {
    created_at: new Date(FIRST_DAY_MS + (number % days) * DAY_MS + Math.floor(number / days) * 1_000),
    model,
    verdict: number % 3 === 0 ? 'likely_false' : 'likely_true',
    prob_true_rpl: (number % 100) / 100,
    gate_width: number % 7 !== 3,
  });
}

/**
 * Makes a lake of one-row files, as research appends them but without waiting for the disk.
 * @returns its data folder.
 */
export async function makeSampleLake(files: number, days: number): Promise<string> {
  const dataDir = makeTempFolder();
  const exportsDir = exportsFolder(dataDir);
  for (let number = 0; number < files; number += 1) {
    const row = sampleRow(number, days);
    await putFile(exportsDir, `r-s3-${row.run_id}.parquet`, [row]);
  }
  return dataDir;
}

/** Three questions of every day. */
export const QUESTIONS: Readonly<Record<string, string>> = {
  count: 'SELECT count(*) FROM checks',
  'by model':
    'SELECT model, count(*), avg(prob_true_rpl), avg(gate_width::INTEGER) FROM checks GROUP BY 1 ORDER BY 1',
  'one week by verdict': `SELECT created_at::DATE AS day, verdict, count(*), sum(cost_usd) FROM checks
    WHERE dt BETWEEN '2026-01-01' AND '2026-01-07' GROUP BY ALL ORDER BY ALL`,
};

/**
 * The files of the local environment as DuckDB reads them without views, with the day of each row.
 * @param folders the path of the days' folders up to the date.
 */
export function filesWithoutViews(folders: string): string {
  return `(SELECT *, substring(filename, ${folders.length + 1}, 10)::DATE AS dt
    FROM read_parquet('${folders}*/*.parquet', hive_partitioning = false, filename = true))`;
}

/** A number of repeats, made smaller by HX_BENCH_SCALE (a share of 1) where the machine is busy. */
export function scaled(count: number): number {
  return Math.ceil(count * Number(process.env['HX_BENCH_SCALE'] ?? 1));
}
