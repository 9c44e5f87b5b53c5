import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadBank } from '../../src/handlers/banks.js';
import { rowFromJson, rowToJson } from '../../src/rpl/column.js';
import { readOutcome } from '../../src/rpl/outcome.js';
import { DEFAULT_OPTIONS, type MeasurementPlan, planMeasurement } from '../../src/rpl/plan.js';
import { FREE, type Price } from '../../src/rpl/price.js';
import { Prng } from '../../src/rpl/prng.js';
import { RUN_COLUMNS } from '../../src/rpl/record.js';
import { completeRun } from '../../src/rpl/run.js';
import type { Attempt, AttemptStatus, PlannedSample } from '../../src/rpl/sample.js';
import { qualityOf, verdictOf } from '../../src/rpl/verdict.js';

const run = suite('rpl run');

let plan: MeasurementPlan;

run.before(async () => {
  plan = planMeasurement({
    environment: 'local',
    claim: 'Tides are caused by the moon',
    identity: {
      model: 'compatible/x',
      provider: 'compatible',
      baseUrl: 'http://127.0.0.1:1',
      simulated: false,
    },
    bank: await loadBank('plain', '.'),
    answerSchema: {},
    options: { ...DEFAULT_OPTIONS, k: 10, r: 1, t: 10, b: 200 },
  });
});

function attempt(sample: PlannedSample | undefined, changes: Partial<Attempt> = {}): Attempt {
  const status: AttemptStatus = changes.status ?? 'valid';
  return {
    sampleKey: sample?.sampleKey ?? '',
    templateId: sample?.templateId ?? '',
    replicate: sample?.replicate ?? 0,
    ordinal: 1,
    status,
    probTrue: status === 'valid' || status === 'repaired' ? 0.8 : null,
    answerText: '{}',
    problem: null,
    modelResolved: 'x-1',
    systemFingerprint: null,
    tokensIn: 10,
    tokensOut: 5,
    startedAt: new Date(0),
    latencyMs: 1,
    ...changes,
  };
}

function completed(
  attempts: readonly Attempt[],
  reused: readonly Attempt[] = [],
  price: Price | null = null,
) {
  return completeRun({
    runId: '01890000-0000-7000-8000-000000000000',
    createdAt: new Date('2026-11-22T01:02:03.004Z'),
    elapsedMs: 12,
    plan,
    ownAttempts: attempts,
    reusedAttempts: reused,
    ownReadouts: [],
    reusedReadouts: [],
    price,
  });
}

run('compliance never exceeds one, whatever was retried or arrived twice', () => {
  const [first, second, ...rest] = plan.samples;
  const attempts = [
    attempt(first, { status: 'failed', problem: '429' }),
    attempt(first, { ordinal: 2 }),
    attempt(first, { ordinal: 3, probTrue: 0.1 }),
    attempt(second, { status: 'invalid' }),
    attempt(second, { ordinal: 2, status: 'repaired' }),
    ...rest.map((sample) => attempt(sample)),
  ];
  const outcome = readOutcome(plan, attempts);
  assert.is(outcome.compliance_rate, 1);
  assert.is(outcome.compliance_strict_first, 0.9);
  assert.is(outcome.compliance_repaired, 0.1);
  assert.is(outcome.usable.length, 10);
  assert.is(outcome.usable.find(({ template }) => template === first?.templateId)?.prob_true, 0.8);
});

run('refusals are counted by template, never as compliant, and above 20 % give bounds', () => {
  const attempts = plan.samples.map((sample, index) =>
    attempt(sample, { status: index < 3 ? 'refused' : 'valid' }),
  );
  const record = completed(attempts);
  assert.is(record.n_refused, 3);
  assert.is(record.compliance_rate, 0.7);
  assert.is(record.gate_compliance, false);
  assert.ok((record.prob_true_lower_bound ?? 1) < record.prob_true_rpl);
  assert.ok((record.prob_true_upper_bound ?? 0) > record.prob_true_rpl);
  const refusing = plan.samples[0]?.templateId ?? '';
  assert.equal(JSON.parse(record.counts_by_template_json)[refusing], { usable: 0, refused: 1, other: 0 });
  const fewer = completed(
    plan.samples.map((sample, index) => attempt(sample, { status: index < 2 ? 'refused' : 'valid' })),
  );
  assert.is(fewer.prob_true_lower_bound, null);
});

run('a change of model or of its serving among usable answers is a column of the run', () => {
  const withFirst = (changes: Partial<Attempt>) =>
    completed(plan.samples.map((sample, index) => attempt(sample, index === 0 ? changes : {})));
  assert.is(withFirst({}).model_changed, false);
  assert.is(withFirst({ modelResolved: null }).model_changed, false);
  assert.is(withFirst({ modelResolved: 'x-2' }).model_changed, true);
  assert.is(withFirst({ modelResolved: 'x-2', status: 'refused' }).model_changed, false);
  assert.is(withFirst({ systemFingerprint: 'fp_1' }).model_changed, false);
  const alternating = plan.samples.map((sample, index) =>
    attempt(sample, { systemFingerprint: index === 3 ? 'fp_2' : 'fp_1' }),
  );
  assert.is(completed(alternating).model_changed, true);
});

run('every sample is accounted for', () => {
  const statuses: AttemptStatus[] = [
    'valid',
    'valid',
    'repaired',
    'refused',
    'invalid',
    'leaked',
    'truncated',
    'failed',
  ];
  const attempts = statuses.map((status, index) => attempt(plan.samples[index], { status }));
  const outcome = readOutcome(plan, attempts);
  assert.is(outcome.n_usable, 3);
  assert.is(outcome.n_refused, 1);
  assert.is(outcome.n_invalid, 3);
  assert.is(outcome.n_failed, 3);
  assert.is(outcome.n_usable + outcome.n_refused + outcome.n_invalid + outcome.n_failed, outcome.n_samples);
});

run('the same attempts in any order give the same record', () => {
  const attempts = plan.samples.flatMap((sample, index) => [
    attempt(sample, { status: 'invalid' }),
    attempt(sample, { ordinal: 2, probTrue: 0.3 + 0.05 * index }),
  ]);
  const shuffled = new Prng(3n).shuffle([...attempts]);
  assert.equal(completed(shuffled), completed(attempts));
});

run('calls and tokens count this run only, reused samples apart', () => {
  const own = plan.samples.slice(0, 6).map((sample) => attempt(sample));
  const reused = plan.samples.slice(6).map((sample) => attempt(sample));
  const record = completed(own, reused);
  assert.is(record.calls_made, 6);
  assert.is(record.tokens_in, 60);
  assert.is(record.samples_reused, 4);
  assert.is(record.n_usable, 10);
  assert.is(record.cost_usd, null);
});

run('a record survives JSON', () => {
  const record = completed(plan.samples.map((sample) => attempt(sample)));
  const json = JSON.parse(JSON.stringify(rowToJson(RUN_COLUMNS, record)));
  assert.equal(rowFromJson(RUN_COLUMNS, json), record);
  assert.equal(Object.keys(record).sort(), RUN_COLUMNS.map(({ name }) => name).sort());
});

run('verdict and gates turn at their limits', () => {
  assert.is(verdictOf(0.6), 'likely_true');
  assert.is(verdictOf(0.5999), 'uncertain');
  assert.is(verdictOf(0.4), 'likely_false');
  assert.is(verdictOf(0.4001), 'uncertain');
  assert.equal(qualityOf(0.98, 0.25, 0.3), {
    gate_compliance: true,
    gate_stability: true,
    gate_width: true,
    pqs: Math.floor(100 * (0.1 + 0.4 * (1 - 0.6) + 0.2 * 0.98)),
  });
  assert.equal(qualityOf(0.979, 0.249, 0.301).gate_width, false);
});

run('the cost is that of the calls this run made itself, by what their usage reports say', () => {
  const attempts = plan.samples.map((sample) => attempt(sample, {}));
  const price = { inputUsd: 2, outputUsd: 8 };
  assert.is(completed(attempts, [], price).cost_usd, (attempts.length * 60e-6).toFixed(6));
  assert.is(completed([], attempts, price).cost_usd, null);
  assert.is(completed(attempts).cost_usd, null, 'without a price');
  assert.is(completed(attempts, [], FREE).cost_usd, '0.000000');
  const [first, ...rest] = attempts;
  const silent = { ...(first as Attempt), tokensIn: null, tokensOut: null };
  assert.is(completed([silent, ...rest], [], price).cost_usd, (rest.length * 60e-6).toFixed(6));
});

run.run();
