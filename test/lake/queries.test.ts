import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { HxError } from '../../src/base/errors.js';
import { packagePath } from '../../src/base/paths.js';
import { openLakeEngine } from '../../src/lake/engine/engine.js';
import { exportsFolder } from '../../src/lake/files/partition.js';
import type { LakeRow } from '../../src/lake/files/schema.js';
import { readLabels } from '../../src/lake/labels.js';
import { bindParameters, readyQueries, readyQuery } from '../../src/lake/queries.js';
import { makeTempFolder, removeFolder } from '../helpers.js';
import { allRows } from './collect.js';
import { lakeRow } from './rows.js';
import { appendRun } from './write.js';

const test = suite('ready queries');

type Answer = Record<string, unknown>[];
type Ask = (name: string, given?: Record<string, string>) => Promise<Answer>;

/** A lake of these rows, and a way to ask it ready queries; each result row comes as an object. */
async function withLake(rows: LakeRow[], work: (ask: Ask) => Promise<void>): Promise<void> {
  const dataDir = makeTempFolder();
  for (const row of rows) await appendRun(exportsFolder(dataDir), row);
  const engine = await openLakeEngine({ dataDir });
  try {
    await work(async (name, given = {}) => {
      const query = readyQuery(name);
      const result = await engine.run(query.sql, { parameters: bindParameters(query, given) });
      const values = await allRows(result);
      return values.map((row) =>
        Object.fromEntries(result.columns.map((column, index) => [column.name, row[index]])),
      );
    });
  } finally {
    engine.close();
    removeFolder(dataDir);
  }
}

async function answer(name: string, rows: LakeRow[], given: Record<string, string> = {}): Promise<Answer> {
  let found: Answer = [];
  await withLake(rows, async (ask) => {
    found = await ask(name, given);
  });
  return found;
}

/** Some columns of each row, in order. */
function pick(rows: Answer, ...names: string[]): unknown[][] {
  return rows.map((row) => names.map((name) => row[name]));
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

const toProb = (logit: number) => 1 / (1 + Math.exp(-logit));
const rounded = (value: number) => Math.round(value * 1e4) / 1e4;

/** What a run says about a belief, from logits. */
function belief(logit: number, lo: number, hi: number): Partial<LakeRow> {
  return {
    logit,
    prob_true_rpl: toProb(logit),
    ci_lo: toProb(lo),
    ci_hi: toProb(hi),
    ci_width: toProb(hi) - toProb(lo),
  };
}

const real = { simulated: false, model: 'openai/a' };
const LABELS = '{"claim": "A", "truth": true}\n{"claim": "B", "truth": false}\n';

/** Values for the parameters that have no default. */
const NEEDED: Record<string, Record<string, string>> = {
  calibration: { labels: LABELS },
  claim_history: { claim: 'a' },
};

test('each says what it answers, how to read it and an example, and runs on an empty and a filled lake', async () => {
  const queries = readyQueries();
  assert.ok(queries.length >= 12);
  for (const query of queries) {
    const declared = query.sql.split('\n').filter((line) => line.startsWith('-- param')).length;
    assert.is(query.parameters.length, declared, query.name);
    for (const { name } of query.parameters) assert.match(query.sql, `$${name}::`, query.name);
    const flags = [...query.example.matchAll(/--param (\w+)=/g)].map(([, name]) => name ?? '');
    const names = query.parameters.map(({ name }) => name);
    assert.ok(flags.length > 0 && flags.every((name) => names.includes(name)), query.example);
  }
  await withLake([], async (ask) => {
    for (const { name } of queries) assert.equal(await ask(name, NEEDED[name]), [], name);
  });
  const rows = [
    lakeRow(1, { claim: 'A', template_iqr_logit: 0.9, prob_true_logprob: 0.5, n_readouts: 8 }),
    lakeRow(2, { claim: 'A', env: 'production', lane: 'operational' }),
    lakeRow(3, { claim: 'A', model: 'simulator/other' }),
  ];
  await withLake(rows, async (ask) => {
    for (const { name } of queries) assert.ok((await ask(name, NEEDED[name])).length > 0, name);
  });
});

test('real and simulated models never share a row', async () => {
  const rows = [lakeRow(1, { claim: 'A' }), lakeRow(2, { claim: 'A', simulated: false })].flatMap(
    (row, index) => [
      { ...row, template_iqr_logit: 0.9, prob_true_logprob: 0.5, lane: 'operational' },
      { ...lakeRow(10 + index, { ...row, env: 'production' }), template_iqr_logit: 0.9 },
      { ...lakeRow(20 + index, { ...row, model: 'simulator/other', template_iqr_logit: 0.9 }) },
    ],
  );
  await withLake(
    rows.map((row, index) => ({ ...row, run_id: lakeRow(index).run_id })),
    async (ask) => {
      for (const { name } of readyQueries()) {
        const found = await ask(name, NEEDED[name]);
        const flags = found.map((row) => row['simulated']);
        assert.equal([...new Set(flags)].sort(), [false, true], name);
        if (name !== 'claim_history') assert.equal(flags, [...flags].sort(), `${name}: real ones first`);
      }
    },
  );
});

test('prior_shift compares the same claim, model and bank, with an interval for the shift', async () => {
  const rows = [
    lakeRow(1, { claim: 'A', ...belief(0, -0.3, 0.2) }),
    lakeRow(2, { claim: 'A', env: 'production', ...belief(1, 0.8, 1.4) }),
    lakeRow(3, { claim: 'A', env: 'production', ...belief(3, 2.4, 3.2) }),
    lakeRow(4, { claim: 'A', env: 'production', ...belief(9, 8, 10), was_cached: true }),
    lakeRow(5, { claim: 'A', env: 'production', ...belief(9, 8, 10), model: 'simulator/other' }),
    lakeRow(6, { claim: 'A', env: 'production', ...belief(9, 8, 10), bank: 'wide@1', bank_hash: 'other' }),
    lakeRow(7, { claim: 'B', ...belief(0, -1, 1) }),
    lakeRow(8, { claim: 'A', env: 'development', ...belief(0.2, -0.2, 0.6) }),
  ];
  await withLake(rows, async (ask) => {
    const [shift, ...others] = await ask('prior_shift');
    assert.equal(others, []);
    // Ends of b: means of 0.8 and 2.4, of 1.4 and 3.2; half widths 0.4 and 0.3. Of a: 0.3 below, 0.2 above.
    assert.equal(shift, {
      claim: 'A',
      model: 'simulator/steady',
      bank: 'default@1',
      simulated: true,
      runs_a: 1n,
      runs_b: 2n,
      prob_a: 0.5,
      prob_b: rounded(toProb(2)),
      logit_shift: 2,
      shift_lo: rounded(2 - Math.hypot(0.4, 0.2)),
      shift_hi: rounded(2 + Math.hypot(0.3, 0.3)),
      differs: true,
    });
    const [back] = await ask('prior_shift', { env_a: 'neon', env_b: 'neon-dev' });
    assert.is(back?.['logit_shift'], -1.8);
    const [same] = await ask('prior_shift', { env_b: 'development' });
    assert.is(same?.['differs'], false);
  });
});

test('the interval of a shift holds in 95 of 100 cases', async () => {
  // Runs with independent errors of a known size and exact intervals, from a generator that always gives the same.
  let state = 1;
  const uniform = () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  const TRUE_SHIFT = 0.4;
  const run = (number: number, env: 'local' | 'production', centre: number, error: number) => {
    const logit = centre + 0.2 * error;
    return lakeRow(number, { claim: `C${number >> 1}`, env, ...belief(logit, logit - 0.392, logit + 0.392) });
  };
  const pairs = Array.from({ length: 300 }, (_, index) => [
    run(2 * index, 'local', 0, normal()),
    run(2 * index + 1, 'production', TRUE_SHIFT, normal()),
  ]);
  const dataDir = makeTempFolder();
  for (const row of pairs.flat()) await appendRun(exportsFolder(dataDir), row);
  const engine = await openLakeEngine({ dataDir });
  const query = readyQuery('prior_shift');
  const result = await engine.run(query.sql, { parameters: bindParameters(query, {}) });
  const names = result.columns.map(({ name }) => name);
  const found = await allRows(result);
  assert.is(found.length, 300);
  const held = found.filter((row) => {
    const at = (name: string) => Number(row[names.indexOf(name)]);
    return at('shift_lo') <= TRUE_SHIFT && TRUE_SHIFT <= at('shift_hi');
  });
  // 95 % of 300 is 285, with a standard deviation of 3.8.
  assert.ok(held.length >= 272 && held.length <= 297, String(held.length));
  engine.close();
  removeFolder(dataDir);
});

test('cache_hit_rate counts users’ checks only and adds up what hits saved', async () => {
  const first = lakeRow(1, { lane: 'operational', cost_usd: '0.000001' });
  const unpriced = lakeRow(4, { lane: 'operational', cost_usd: null });
  const hit = { lane: 'operational' as const, was_cached: true, cost_usd: null };
  const rows = [
    first,
    lakeRow(2, { ...hit, cached_from: first.run_id }),
    lakeRow(3, { ...hit, cached_from: first.run_id }),
    unpriced,
    lakeRow(5, { ...hit, cached_from: unpriced.run_id }),
    lakeRow(6, { ...hit, cached_from: lakeRow(99).run_id }),
    lakeRow(7),
  ];
  await withLake(rows, async (ask) => {
    const [day, ...others] = await ask('cache_hit_rate');
    assert.equal(others, []);
    assert.equal(day, {
      ...{ day: '2026-11-01', env: 'local', simulated: true, checks: 6n, from_cache: 4n },
      ...{ hit_rate: 0.6667, saved_usd: '0.000002', hits_without_price: 2n },
    });
    assert.equal(await ask('cache_hit_rate', { since: '2026-11-02' }), []);
    const spent = await ask('spend_by_model');
    assert.equal(pick(spent, 'lane', 'runs', 'cost_usd', 'runs_without_price'), [
      ['research', 1n, '0.001234', 0n],
      ['operational', 2n, '0.000001', 1n],
    ]);
    assert.equal(await ask('spend_by_model', { until: '2026-11-01' }), []);
  });
});

test('drift_by_week gives the change from the week before that was measured, and its interval', async () => {
  const at = (day: string) => ({ created_at: new Date(day) });
  const rows = [
    lakeRow(1, { claim: 'A', ...belief(1, 0.5, 1.5), ...at('2026-11-02T00:00:00Z') }),
    lakeRow(2, { claim: 'A', ...belief(2, 1.5, 2.5), ...at('2026-11-08T23:59:59Z') }),
    lakeRow(3, { claim: 'A', ...belief(4, 3.6, 4.3), ...at('2026-11-09T00:00:00Z') }),
    lakeRow(4, { claim: 'A', ...belief(4.1, 3.7, 4.5), ...at('2026-11-30T00:00:00Z') }),
  ];
  await withLake(rows, async (ask) => {
    const weeks = await ask('drift_by_week', { env: 'local' });
    const columns = ['week', 'runs', 'weeks_apart', 'logit_change', 'change_lo', 'change_hi', 'moved'];
    assert.equal(pick(weeks, ...columns), [
      ['2026-11-02', 2n, null, null, null, null, null],
      [
        ...['2026-11-09', 1n, 1n, 2.5],
        ...[rounded(2.5 - Math.hypot(0.4, 0.5)), rounded(2.5 + Math.hypot(0.3, 0.5)), true],
      ],
      [
        ...['2026-11-30', 1n, 3n, 0.1],
        ...[rounded(0.1 - Math.hypot(0.4, 0.3)), rounded(0.1 + Math.hypot(0.4, 0.4)), false],
      ],
    ]);
    assert.is((await ask('drift_by_week', { since: '2026-11-09' })).length, 2);
    assert.equal(await ask('drift_by_week', { env: 'production' }), []);
  });
});

test('model_disagreement shows every pair of real models once, within an environment and a bank', async () => {
  const rows = [
    lakeRow(1, { ...real, claim: 'A', ...belief(0, -0.4, 0.3) }),
    lakeRow(2, { ...real, claim: 'A', model: 'openai/b', ...belief(1, 0.6, 1.3) }),
    lakeRow(3, { ...real, claim: 'A', model: 'openai/c', ...belief(0.1, -0.4, 0.6) }),
    lakeRow(4, { ...real, claim: 'A', model: 'openai/d', env: 'production', ...belief(5, 4, 6) }),
    lakeRow(5, { ...real, claim: 'A', model: 'openai/e', bank_hash: 'other', ...belief(5, 4, 6) }),
    lakeRow(6, { claim: 'A', ...belief(5, 4, 6) }),
  ];
  await withLake(rows, async (ask) => {
    const columns = ['model_a', 'model_b', 'logit_gap', 'gap_lo', 'gap_hi', 'differs'];
    const ab = [rounded(1 - Math.hypot(0.4, 0.3)), rounded(1 + Math.hypot(0.3, 0.4))];
    const bc = [rounded(-0.9 - Math.hypot(0.5, 0.3)), rounded(-0.9 + Math.hypot(0.5, 0.4))];
    const ac = [rounded(0.1 - Math.hypot(0.5, 0.3)), rounded(0.1 + Math.hypot(0.5, 0.4))];
    assert.equal(pick(await ask('model_disagreement'), ...columns), [
      ['openai/a', 'openai/b', 1, ...ab, true],
      ['openai/b', 'openai/c', -0.9, ...bc, true],
      ['openai/a', 'openai/c', 0.1, ...ac, false],
    ]);
    assert.is((await ask('model_disagreement', { min_gap_logit: '0.95' })).length, 1);
  });
});

test('calibration sorts labelled claims by what was stated, each claim once, and scores them', async () => {
  const stated: [string, number, boolean][] = [
    ['A', 0.9, true],
    ['B', 0.85, true],
    ['C', 0.95, false],
    ['D', 0.1, false],
    ['E', 0.5, true],
  ];
  const logit = (p: number) => Math.log(p / (1 - p));
  const rows = stated.map(([claim, p], index) => lakeRow(index, { ...real, claim, logit: logit(p) }));
  rows.push(
    lakeRow(10, { ...real, claim: 'A', logit: logit(0.9) }),
    lakeRow(11, { ...real, claim: 'A', logit: logit(0.2), was_cached: true }),
    lakeRow(12, { ...real, claim: 'unlabelled', logit: 0 }),
  );
  const labels = stated.map(([claim, , truth]) => JSON.stringify({ claim: ` ${claim}`, truth })).join('\n');
  const found = await answer('calibration', rows, { labels });
  const score = (claims: typeof stated, power: (p: number, truth: boolean) => number) =>
    rounded(claims.reduce((sum, [, p, truth]) => sum + power(p, truth), 0) / claims.length);
  const brier = (p: number, truth: boolean) => (p - Number(truth)) ** 2;
  const loss = (p: number, truth: boolean) => -Math.log(truth ? p : 1 - p);
  const scores = (claims: typeof stated) => [score(claims, brier), score(claims, loss)];
  const columns = ['stated', 'claims', 'runs', 'mean_stated', 'true_share', 'brier', 'log_loss'];
  assert.equal(pick(found, ...columns), [
    ['0.00 to 0.20', 1n, 1n, 0.1, 0, ...scores([['D', 0.1, false]])],
    ['0.40 to 0.60', 1n, 1n, 0.5, 1, ...scores([['E', 0.5, true]])],
    ['0.80 to 1.00', 3n, 4n, 0.9, 0.6667, ...scores(stated.slice(0, 3))],
    ['all', 5n, 6n, 0.66, 0.6, ...scores(stated)],
  ]);
  // Wilson's interval of 2 of 3 and of 3 of 5, from its usual tables.
  assert.equal(pick(found.slice(2), 'true_lo', 'true_hi', 'differs'), [
    [0.2077, 0.9385, false],
    [0.2307, 0.8824, false],
  ]);
});

test('calibration says when what is stated is not what comes true', async () => {
  const rows = Array.from({ length: 40 }, (_, index) =>
    lakeRow(index, { ...real, claim: `C${index}`, logit: Math.log(9) }),
  );
  const labels = rows.map(({ claim }, index) => JSON.stringify({ claim, truth: index % 2 === 0 })).join('\n');
  const [bin] = await answer('calibration', rows, { labels });
  assert.equal([bin?.['mean_stated'], bin?.['true_share'], bin?.['differs']], [0.9, 0.5, true]);
});

test('refusals_by_template adds up the counts of every run by wording', async () => {
  const counts = (a: number, b: number) =>
    JSON.stringify({
      a: { usable: 2 - a, refused: a, other: 0 },
      b: { usable: 2 - b, refused: 0, other: b },
    });
  const rows = [
    lakeRow(1, { counts_by_template_json: counts(1, 0) }),
    lakeRow(2, { counts_by_template_json: counts(1, 0) }),
    lakeRow(3, { counts_by_template_json: counts(2, 1) }),
    lakeRow(4, { counts_by_template_json: counts(2, 2), was_cached: true }),
  ];
  const columns = ['template', 'runs', 'samples', 'refused_share', 'other_share'];
  await withLake(rows, async (ask) => {
    assert.equal(pick(await ask('refusals_by_template'), ...columns), [
      ['a', 3n, 6n, 0.6667, 0],
      ['b', 3n, 6n, 0, 0.1667],
    ]);
    assert.equal(await ask('refusals_by_template', { min_samples: '7' }), []);
  });
});

test('the other queries count what they say', async () => {
  const at = (day: string) => ({ created_at: new Date(`${day}T12:00:00Z`) });
  const rows = [
    lakeRow(1, { claim: 'A', gate_width: false, elapsed_ms: 1000, calls_made: 20, ...at('2026-11-01') }),
    lakeRow(2, { claim: 'A', env: 'production', n_refused: 4, elapsed_ms: 3000, ...at('2026-11-03') }),
    lakeRow(3, { claim: 'A', calls_made: 0, samples_reused: 16, ...at('2026-11-02') }),
    lakeRow(4, { claim: 'a moon', model_resolved: 'steady-2', model_changed: true, ...at('2026-11-02') }),
    lakeRow(5, { claim: 'a moon', was_cached: true, ...at('2026-11-02') }),
  ];
  await withLake(rows, async (ask) => {
    assert.equal(pick(await ask('gate_failures', { env: 'local' }), 'runs', 'width_failed', 'failed_share'), [
      [3n, 1n, 0.3333],
    ]);
    assert.equal(
      pick(
        await ask('coverage_by_env'),
        'claim',
        'runs_local',
        'runs_production',
        'last_measured',
        'missing_in',
      ),
      [
        ['A', 2n, 1n, '2026-11-03', 'development'],
        ['a moon', 1n, 0n, '2026-11-02', 'development, production'],
      ],
    );
    assert.equal(await ask('coverage_by_env', { model: 'openai/none' }), []);
    assert.equal(
      pick(await ask('slow_providers'), 'provider', 'env', 'runs', 'calls', 'median_ms', 'calls_per_sample'),
      [
        ['simulator', 'production', 1n, 16n, 3000n, 1],
        ['simulator', 'local', 2n, 36n, 906n, 1.125],
      ],
    );
    assert.equal(pick(await ask('claim_history', { claim: 'MOON' }), 'claim', 'verdict', 'gates_ok'), [
      ['a moon', 'likely_true', true],
    ]);
    assert.equal(
      pick(await ask('model_versions', { env: 'local' }), 'model_resolved', 'runs', 'runs_mixed'),
      [
        [null, 2n, 0n],
        ['steady-2', 1n, 1n],
      ],
    );
    assert.equal(pick(await ask('refusals_by_model'), 'env', 'refused_share', 'runs_with_refusals'), [
      ['production', 0.25, 1n],
      ['local', 0, 0n],
    ]);
    assert.equal(pick(await ask('daily_volume', { env: 'local' }), 'day', 'runs', 'from_cache', 'claims'), [
      ['2026-11-02', 3n, 1n, 2n],
      ['2026-11-01', 1n, 0n, 1n],
    ]);
  });
});

test('the calls of a readout are no retries', async () => {
  const rows = [
    lakeRow(1, { calls_made: 24, n_readouts: 8, samples_reused: 0 }),
    lakeRow(2, { calls_made: 20, samples_reused: 0 }),
    lakeRow(3, { calls_made: 24, n_readouts: 8, model: 'simulator/read' }),
  ];
  await withLake(rows, async (ask) => {
    const columns = ['model', 'runs', 'calls', 'calls_per_sample'];
    assert.equal(pick(await ask('slow_providers'), ...columns), [
      ['simulator/read', 1n, 24n, null],
      ['simulator/steady', 2n, 44n, 1.25],
    ]);
  });
});

test('unstable_claims and readout_gap show what is beyond a threshold', async () => {
  const rows = [
    lakeRow(1, {
      ...real,
      claim: 'A',
      template_iqr_logit: 0.9,
      ...belief(1, 0.5, 1.5),
      prob_true_logprob: 0.2,
    }),
    lakeRow(2, { ...real, claim: 'A', template_iqr_logit: 0.1, ...belief(2, 1.5, 2.5) }),
    lakeRow(3, {
      ...real,
      claim: 'B',
      template_iqr_logit: 0.3,
      prob_true_logprob: toProb(1.1),
      logprob_mass_other: 0.25,
    }),
  ];
  await withLake(rows, async (ask) => {
    assert.equal(pick(await ask('unstable_claims'), 'claim', 'runs', 'iqr_logit', 'prob_true'), [
      ['A', 2n, 0.5, rounded(toProb(1.5))],
    ]);
    assert.is((await ask('unstable_claims', { min_iqr_logit: '0.2' })).length, 2);
    const columns = ['claim', 'runs', 'prob_stated', 'prob_readout', 'logit_gap', 'mass_other', 'outside'];
    assert.equal(pick(await ask('readout_gap'), ...columns), [
      ['A', 1n, rounded(toProb(1)), 0.2, rounded(Math.log(0.25) - 1), null, true],
      ['B', 1n, rounded(toProb(1)), rounded(toProb(1.1)), 0.1, 0.25, false],
    ]);
  });
});

test('an unknown name suggests the nearest and lists all', () => {
  const error = usageError(() => readyQuery('prior_shfit'));
  assert.match(error.hint ?? '', /Did you mean prior_shift\?/);
  assert.match(error.hint ?? '', /cache_hit_rate, .*unstable_claims/);
  assert.match(usageError(() => readyQuery('prior')).hint ?? '', /Did you mean prior_shift\?/);
  assert.not.match(usageError(() => readyQuery('zzz')).hint ?? '', /Did you mean/);
});

test('parameters are checked by name and type, and a needed one is asked for', () => {
  const unstable = readyQuery('unstable_claims');
  assert.equal(bindParameters(unstable, { min_iqr_logit: '0.5' }), { min_iqr_logit: 0.5, env: 'all' });
  assert.equal(bindParameters(unstable, { env: 'neon' })['env'], 'production');
  assert.match(usageError(() => bindParameters(unstable, { iqr: '1' })).hint ?? '', /min_iqr_logit, env/);
  assert.match(
    usageError(() => bindParameters(unstable, { min_iqr_logit: 'much' })).message,
    /min_iqr_logit/,
  );
  assert.match(usageError(() => bindParameters(unstable, { env: 'prod' })).message, /"prod"/);
  usageError(() => bindParameters(readyQuery('prior_shift'), { env_a: 'all' }));
  const same = usageError(() => bindParameters(readyQuery('prior_shift'), { env_a: 'neon' }));
  assert.is(same.message, 'env_a and env_b are both production.');
  usageError(() => bindParameters(readyQuery('daily_volume'), { since: '2026-02-30' }));
  for (const bins of ['2.5', '0', '-1', '3e9', '', 'five']) {
    usageError(() => bindParameters(readyQuery('calibration'), { labels: LABELS, bins }));
  }
  const needed = usageError(() => bindParameters(readyQuery('claim_history'), {}));
  assert.match(needed.message, '@claim_history needs a value for claim.');
  assert.match(needed.hint ?? '', 'hx query @claim_history --param claim=');
});

test('a date that is asked for leaves the files of other days unopened', async () => {
  const dated = readyQueries().filter(({ parameters }) => parameters.some(({ type }) => type === 'date'));
  assert.ok(dated.length >= 7);
  const dataDir = makeTempFolder();
  for (const number of [1, 2, 3]) {
    const created_at = new Date(Date.UTC(2026, 10, number));
    await appendRun(exportsFolder(dataDir), lakeRow(number, { created_at, lane: 'operational' }));
  }
  const engine = await openLakeEngine({ dataDir });
  try {
    for (const query of dated) {
      const filesRead = async (given: Record<string, string>) => {
        const parameters = bindParameters(query, given);
        const result = await engine.run(`EXPLAIN ANALYZE ${query.sql}`, { parameters });
        const plan = String((await allRows(result))[0]?.[1]).replace(/[│\s]+/g, ' ');
        return [...plan.matchAll(/Total Files Read: (\d+)/g)].map((match) => Number(match[1]));
      };
      // @cache_hit_rate reads a second time, for the prices of what was used again, however long ago that was.
      const scans = query.name === 'cache_hit_rate' ? 2 : 1;
      const [all, since] = [await filesRead({}), await filesRead({ since: '2026-11-03' })];
      assert.equal([all.length, since.length], [scans, scans], query.name);
      assert.ok(
        all.includes(3) && since.includes(1) && !since.includes(3),
        `${query.name}: ${all}, ${since}`,
      );
    }
  } finally {
    engine.close();
    removeFolder(dataDir);
  }
});

test('labels are read line by line, and what is none of them is named', () => {
  const cases: [string, RegExp][] = [
    ['', /no labels/],
    ['{"claim": "A", "truth": true}\n\nnonsense', /Line 3/],
    ['{"claim": "A"}', /Line 1 of the labels: its truth/],
    ['{"claim": "A", "truth": "true"}', /its truth/],
    ['{"truth": true}', /no claim/],
    ['[]', /no claim/],
    ['{"claim": "A", "truth": true}\n{"claim": " A ", "truth": false}', /Line 2 .*true and false/],
  ];
  for (const [text, message] of cases) assert.match(usageError(() => readLabels(text)).message, message);
  const known = JSON.parse(readLabels(readFileSync(packagePath('data', 'claims', 'known.jsonl'), 'utf8')));
  assert.is(known.length, 40);
  assert.is(known.filter(({ truth }: { truth: boolean }) => truth).length, 20);
});

test.run();
