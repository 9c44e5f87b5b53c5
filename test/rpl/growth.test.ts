import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HxError } from '../../src/base/errors.js';
import { makeBank } from '../../src/rpl/bank.js';
import type { EstimatorSample } from '../../src/rpl/estimator.js';
import { firstStageOf, growPlan, growthLimit, largestPlan, type Precision } from '../../src/rpl/growth.js';
import { SMALL_SAMPLE_LEVEL, steinInterval, studentFactor } from '../../src/rpl/interval.js';
import { DEFAULT_OPTIONS, type MeasurementPlan, planMeasurement } from '../../src/rpl/plan.js';
import { standardDeviation } from '../../src/rpl/statistics.js';

const growth = suite('rpl growth');

const bank = makeBank(
  {
    id: 'twenty',
    version: '1',
    answer: 'belief-1',
    system: 'Answer.',
    templates: Array.from({ length: 20 }, (_, index) => ({
      id: `t${index}`,
      family: 'plain',
      text: `Wording ${index}: {CLAIM}`,
    })),
  },
  'test',
);

function plan(precision: Precision | undefined, r = 2): MeasurementPlan {
  return planMeasurement({
    environment: 'local',
    claim: 'A claim',
    identity: { model: 'simulator/default', provider: 'simulator', baseUrl: null, simulated: true },
    bank,
    answerSchema: {},
    options: { ...DEFAULT_OPTIONS, r, precision },
  });
}

/** Answers to the first stage that scatter by so much around a half. */
function answers({ slots }: MeasurementPlan, scatter: number): EstimatorSample[] {
  return slots.flatMap((template, index) =>
    [0, 1].map((replicate) => ({
      template,
      replicate,
      prob_true: 0.5 + scatter * ((index % 2) - 0.5) + 0.00001,
    })),
  );
}

growth('the second stage adds templates and leaves the first stage and the identity as they are', () => {
  const first = plan({ width: 0.12, maxCalls: null });
  assert.is(first.samples.length, 16);
  assert.is(first.method, 'stein');
  const grown = growPlan(first, answers(first, 0.15));
  assert.ok(grown.templates > 8 && grown.templates < 20, `${grown.templates}`);
  assert.is(grown.samples.length, grown.templates * 2);
  assert.equal(grown.samples.slice(0, 16), first.samples);
  assert.is(new Set(grown.slots).size, grown.templates);
  assert.is(grown.configHash, first.configHash);
  assert.is(growthLimit(grown), null);
  assert.equal(firstStageOf(grown), first.slots);
});

growth('the same answers give the same plan, in whatever order they came', () => {
  const first = plan({ width: 0.12, maxCalls: null });
  const came = answers(first, 0.15);
  assert.equal(growPlan(first, [...came].reverse()), growPlan(first, came));
});

growth('a steady first stage needs no second', () => {
  const first = plan({ width: 0.12, maxCalls: null });
  assert.equal(growPlan(first, answers(first, 0.001)).samples, first.samples);
});

growth('bank and max-calls limit it, and then the size follows from no answer', () => {
  const byBank = growPlan(
    plan({ width: 0.02, maxCalls: null }),
    answers(plan({ width: 0.02, maxCalls: null }), 0.3),
  );
  assert.is(byBank.templates, 20);
  assert.is(growthLimit(byBank), 'bank');
  assert.is(firstStageOf(byBank), undefined);
  const first = plan({ width: 0.02, maxCalls: 25 });
  const byCalls = growPlan(first, answers(first, 0.3));
  assert.is(byCalls.templates, 12);
  assert.is(growthLimit(byCalls), 'max_calls');
  assert.equal(largestPlan(first).samples, byCalls.samples);
});

growth('width and limit are part of the identity; a plan of a given size has none of them', () => {
  const hashes = [
    plan(undefined),
    plan({ width: 0.1, maxCalls: null }),
    plan({ width: 0.2, maxCalls: null }),
    plan({ width: 0.1, maxCalls: 40 }),
  ].map(({ configHash }) => configHash);
  assert.is(new Set(hashes).size, 4);
  assert.not.match(plan(undefined).configJson, 'precision');
});

growth('calls that do not reach for a first stage are refused', () => {
  assert.throws(
    () => plan({ width: 0.1, maxCalls: 15 }),
    (error: unknown) =>
      error instanceof HxError && error.code === 'usage' && /--max-calls/.test(`${error.hint}`),
  );
  assert.is(plan({ width: 0.1, maxCalls: 15 }, 1).samples.length, 8);
});

growth(
  "the interval goes by the first stage's spread, or by that of all templates where it is larger",
  () => {
    const calm = [-0.2, 0.2, -0.2, 0.2, -0.2, 0.2, -0.2, 0.2];
    const wild = calm.map((mean) => 5 * mean);
    const marginOf = (first: readonly number[], later: readonly number[]) => {
      const means = Float64Array.from([...first, ...later]);
      const { centre, high } = steinInterval(means, Float64Array.from(first));
      // Degrees of freedom always by the first stage, whichever spread counts.
      return ((high - centre) * Math.sqrt(means.length)) / studentFactor(first.length, SMALL_SAMPLE_LEVEL);
    };
    const ofAll = standardDeviation(Float64Array.from([...calm, ...wild]));
    for (const [first, later, spread] of [
      [wild, calm, standardDeviation(Float64Array.from(wild))],
      [calm, wild, ofAll],
    ] as const) {
      assert.ok(
        Math.abs(marginOf(first, later) - spread) < 1e-12,
        `${marginOf(first, later)} is not ${spread}`,
      );
    }
  },
);

growth.run();
