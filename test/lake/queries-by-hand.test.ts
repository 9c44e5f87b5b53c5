import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openLakeEngine } from '../../src/lake/engine/engine.js';
import { exportsFolder } from '../../src/lake/files/partition.js';
import type { LakeRow } from '../../src/lake/files/schema.js';
import { bindParameters, readyQueries, readyQuery } from '../../src/lake/queries.js';
import { makeTempFolder, removeFolder } from '../helpers.js';
import { type Answer, BY_HAND } from './by-hand/answers.js';
import { calibrationByHand } from './by-hand/calibration.js';
import { allRows } from './collect.js';
import { putFile } from './files.js';
import { randomRuns } from './random-runs.js';

const test = suite('ready queries, worked out by hand');

/** Parameters other than the defaults. */
const GIVEN: Readonly<Record<string, Record<string, string>>> = { claim_history: { claim: 'TIDES' } };

/** What the rows are sorted by after `simulated`, and in which direction. */
const ORDER: Readonly<Record<string, readonly [column: string, direction: 1 | -1]>> = {
  cache_hit_rate: ['day', -1],
  calibration: ['model', 1],
  claim_history: ['created_at', -1],
  coverage_by_env: ['last_measured', -1],
  daily_volume: ['day', -1],
  drift_by_week: ['claim', 1],
  gate_failures: ['failed_share', -1],
  model_disagreement: ['logit_gap', -1],
  model_versions: ['model', 1],
  prior_shift: ['logit_shift', -1],
  readout_gap: ['logit_gap', -1],
  refusals_by_model: ['refused_share', -1],
  refusals_by_template: ['refused_share', -1],
  slow_providers: ['median_ms', -1],
  spend_by_model: ['cost_usd', -1],
  unstable_claims: ['iqr_logit', -1],
};

type Ask = (name: string, given?: Record<string, string>) => Promise<Answer>;

async function withLake(rows: readonly LakeRow[], work: (ask: Ask) => Promise<void>): Promise<void> {
  const dataDir = makeTempFolder();
  for (const row of rows) await putFile(exportsFolder(dataDir), `r-s3-${row.run_id}.parquet`, [row]);
  const engine = await openLakeEngine({ dataDir });
  try {
    await work(async (name, given = {}) => {
      const query = readyQuery(name);
      const result = await engine.run(query.sql, { parameters: bindParameters(query, given) });
      const names = result.columns.map((column) => column.name);
      const values = await allRows(result);
      return values.map((row) => Object.fromEntries(names.map((column, index) => [column, row[index]])));
    });
  } finally {
    engine.close();
    removeFolder(dataDir);
  }
}

/** A value to compare: a number is one, whether it came as a decimal's text, a whole number or a share. */
function comparable(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  return typeof value === 'string' && /^-?\d+\.\d+$/.test(value) ? Number(value) : value;
}

function isSame(one: unknown, other: unknown): boolean {
  const [a, b] = [comparable(one), comparable(other)];
  // Answers are rounded to four digits after the point.
  return typeof a === 'number' && typeof b === 'number' ? Math.abs(a - b) <= 5.1e-5 : a === b;
}

/** Whether two answers hold the same rows, each with the same columns. */
function assertSame(found: Answer, wanted: Answer, name: string): void {
  assert.is(found.length, wanted.length, `${name}: number of rows`);
  const left = [...found];
  for (const row of wanted) {
    const columns = Object.keys(row);
    assert.equal(Object.keys(left[0] ?? {}).sort(), [...columns].sort(), name);
    const at = left.findIndex((other) => columns.every((column) => isSame(other[column], row[column])));
    assert.ok(at >= 0, `${name} lacks ${JSON.stringify(row)}`);
    left.splice(at, 1);
  }
}

function assertSorted(found: Answer, name: string): void {
  const [column, direction] = ORDER[name] ?? ['', 1];
  const shownOf = (row: Answer[number] | undefined) => {
    const value = comparable(row?.[column]);
    // Gaps are sorted by their size, and what is unknown comes last.
    return typeof value === 'number' ? Math.abs(value) : (value ?? -1);
  };
  for (const [index, row] of found.entries()) {
    const next = found[index + 1];
    if (next === undefined || (row['simulated'] !== next['simulated'] && name !== 'claim_history')) continue;
    const [a, b] = [shownOf(row), shownOf(next)] as [string, string];
    assert.ok(direction === 1 ? a <= b : a >= b, `${name}: ${a} before ${b}`);
  }
}

test('every ready query is among them, with its order', () => {
  const names = readyQueries().map(({ name }) => name);
  assert.equal([...Object.keys(BY_HAND), 'calibration'].sort(), names);
  assert.equal(Object.keys(ORDER).sort(), names);
});

const LAKES: readonly (readonly [what: string, rows: readonly LakeRow[]])[] = [
  ['many runs', randomRuns(400, 7)],
  ['a few', randomRuns(12, 11)],
  ['one', randomRuns(1, 5)],
  ['one environment', randomRuns(200, 13).filter(({ env }) => env === 'production')],
];

for (const [what, rows] of LAKES) {
  test(`of ${what}, every answer is what the runs themselves give`, async () => {
    const truths = new Map(
      [...new Set(rows.map(({ claim }) => claim))].map((claim, at) => [claim, at % 2 === 0]),
    );
    const labels = [...truths].map(([claim, truth]) => JSON.stringify({ claim, truth })).join('\n');
    await withLake(rows, async (ask) => {
      for (const [name, byHand] of Object.entries(BY_HAND)) {
        const found = await ask(name, GIVEN[name]);
        assertSame(found, byHand(rows), name);
        assertSorted(found, name);
      }
      for (const bins of [1, 5]) {
        const found = await ask('calibration', { labels, bins: String(bins) });
        assertSame(found, calibrationByHand(rows, truths, bins), `calibration in ${bins}`);
        assertSorted(found, 'calibration');
      }
    });
  });
}

test.run();
