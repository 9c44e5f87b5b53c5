import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { HxError } from '../../src/base/errors.js';
import { openLakeEngine } from '../../src/lake/engine.js';
import { exportsFolder } from '../../src/lake/partition.js';
import { bindParameters, readyQueries, readyQuery } from '../../src/lake/queries.js';
import type { LakeRow } from '../../src/lake/schema.js';
import { makeTempFolder, removeFolder } from '../helpers.js';
import { allRows } from './collect.js';
import { lakeRow } from './rows.js';
import { appendRun } from './write.js';

const test = suite('ready queries');

/** Runs one ready query on a lake of these rows; each result row as an object. */
async function answer(name: string, rows: LakeRow[], given: Record<string, string> = {}) {
  const dataDir = makeTempFolder();
  for (const row of rows) await appendRun(exportsFolder(dataDir), row);
  const engine = await openLakeEngine({ dataDir });
  try {
    const query = readyQuery(name);
    const result = await engine.run(query.sql, { parameters: bindParameters(query, given) });
    const values = await allRows(result);
    return values.map((row) =>
      Object.fromEntries(result.columns.map((column, index) => [column.name, row[index]])),
    );
  } finally {
    engine.close();
    removeFolder(dataDir);
  }
}

function usageError(work: () => unknown): HxError {
  try {
    work();
  } catch (error) {
    assert.is((error as HxError).code, 'usage');
    return error as HxError;
  }
  throw new Error('no error');
}

test('each says what it answers and runs on an empty and on a filled lake', async () => {
  const queries = readyQueries();
  assert.ok(queries.length >= 8);
  for (const { name, question, parameters } of queries) {
    assert.match(question, /\?$/, name);
    assert.is(
      parameters.length,
      readyQuery(name)
        .sql.split('\n')
        .filter((line) => line.startsWith('-- param')).length,
    );
    assert.equal(await answer(name, []), [], name);
  }
  const rows = [
    lakeRow(1, { template_iqr_logit: 0.9 }),
    lakeRow(2, { claim: 'Claim 1.', env: 'production', lane: 'operational' }),
  ];
  for (const { name } of queries) assert.ok((await answer(name, rows)).length > 0, name);
});

test('prior_shift compares the same claim and model across two environments', async () => {
  const logit = (value: number) => ({ logit: value, prob_true_rpl: 1 / (1 + Math.exp(-value)) });
  const rows = [
    lakeRow(1, { claim: 'A', ...logit(0), ci_lo: 0.45, ci_hi: 0.55 }),
    lakeRow(2, { claim: 'A', ...logit(1), ci_lo: 0.7, ci_hi: 0.76, env: 'production' }),
    lakeRow(3, { claim: 'A', ...logit(3), ci_lo: 0.94, ci_hi: 0.96, env: 'production' }),
    lakeRow(4, { claim: 'A', ...logit(9), env: 'production', was_cached: true }),
    lakeRow(5, { claim: 'A', ...logit(9), env: 'production', model: 'simulator/other' }),
    lakeRow(6, { claim: 'B', ...logit(0) }),
    lakeRow(7, { claim: 'A', ...logit(-2), env: 'development', ci_lo: 0.1, ci_hi: 0.15 }),
  ];
  const [shift, ...others] = await answer('prior_shift', rows);
  assert.equal(others, []);
  assert.equal(shift, {
    claim: 'A',
    model: 'simulator/steady',
    simulated: true,
    runs_a: 1n,
    runs_b: 2n,
    prob_a: 0.5,
    prob_b: 0.8808,
    prob_shift: 0.3808,
    logit_shift: 2,
    intervals_apart: true,
  });
  const [back] = await answer('prior_shift', rows, { env_a: 'production', env_b: 'development' });
  assert.is(back?.['logit_shift'], -4);
});

test('cache_hit_rate counts users’ checks only; spend leaves out what the cache gave', async () => {
  const rows = [
    lakeRow(1, { lane: 'operational', cost_usd: '0.000001' }),
    lakeRow(2, { lane: 'operational', was_cached: true }),
    lakeRow(3, { lane: 'operational', was_cached: true }),
    lakeRow(4, { lane: 'operational', cost_usd: null }),
    lakeRow(5),
  ];
  const [day] = await answer('cache_hit_rate', rows);
  assert.equal(day, { day: '2026-11-01', env: 'local', checks: 4n, from_cache: 2n, hit_rate: 0.5 });
  assert.equal(await answer('cache_hit_rate', rows, { since: '2026-11-02' }), []);
  const spent = await answer('spend_by_model', rows);
  assert.equal(
    spent.map((row) => [row['lane'], row['runs'], row['cost_usd'], row['runs_without_price']]),
    [
      ['research', 1n, '0.001234', 0n],
      ['operational', 2n, '0.000001', 1n],
    ],
  );
});

test('drift_by_week gives the change of logit from the week before', async () => {
  const rows = [
    lakeRow(1, { claim: 'A', logit: 1, created_at: new Date('2026-11-02T00:00:00Z') }),
    lakeRow(2, { claim: 'A', logit: 2, created_at: new Date('2026-11-08T23:59:59Z') }),
    lakeRow(3, { claim: 'A', logit: 4, created_at: new Date('2026-11-09T00:00:00Z') }),
  ];
  const weeks = await answer('drift_by_week', rows, { env: 'local' });
  assert.equal(
    weeks.map((row) => [row['week'], row['runs'], row['logit_change']]),
    [
      ['2026-11-02', 2n, null],
      ['2026-11-09', 1n, 2.5],
    ],
  );
  assert.equal(await answer('drift_by_week', rows, { env: 'production' }), []);
});

test('an unknown name suggests the nearest and lists all', () => {
  const error = usageError(() => readyQuery('prior_shfit'));
  assert.match(error.hint ?? '', /Did you mean prior_shift\?/);
  assert.match(error.hint ?? '', /cache_hit_rate, .*unstable_claims/);
  assert.match(usageError(() => readyQuery('prior')).hint ?? '', /Did you mean prior_shift\?/);
  assert.not.match(usageError(() => readyQuery('zzz')).hint ?? '', /Did you mean/);
});

test('parameters are checked by name and type', () => {
  const unstable = readyQuery('unstable_claims');
  assert.equal(bindParameters(unstable, { min_iqr_logit: '0.5' }), { min_iqr_logit: 0.5, env: 'all' });
  assert.match(usageError(() => bindParameters(unstable, { iqr: '1' })).hint ?? '', /min_iqr_logit, env/);
  assert.match(
    usageError(() => bindParameters(unstable, { min_iqr_logit: 'much' })).message,
    /min_iqr_logit/,
  );
  usageError(() => bindParameters(readyQuery('daily_volume'), { since: '2026-02-30' }));
});

test.run();
