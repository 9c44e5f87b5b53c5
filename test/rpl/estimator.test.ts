import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HxError } from '../../src/base/errors.js';
import { answerGridStep, gridLogit, roundingMargin } from '../../src/rpl/answer-grid.js';
import {
  ESTIMATORS,
  type Estimate,
  type Estimator,
  type EstimatorSample,
  estimate,
} from '../../src/rpl/estimator.js';
import { Prng } from '../../src/rpl/prng.js';
import { logit, probabilityOf } from '../../src/rpl/statistics.js';

const estimator = suite('rpl estimator');

const SEED = 42n;

/** One sample a template, given as probabilities. */
function oneEach(probabilities: readonly number[]): EstimatorSample[] {
  return probabilities.map((prob_true, index) => ({ template: `t${index}`, replicate: 0, prob_true }));
}

function plain(result: Estimate): string {
  return JSON.stringify(result, (_key, value) => (typeof value === 'bigint' ? `${value}` : value));
}

function near(actual: number, expected: number, tolerance: number): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected} within ${tolerance}`);
}

estimator('the centre is the 20 % trimmed mean of template means in logits', () => {
  // Ten templates: two dropped from each end, six averaged.
  const probabilities = [0.01, 0.02, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.98, 0.99];
  const kept = [0.4, 0.45, 0.5, 0.55, 0.6, 0.65].map((p) => Math.log(p / (1 - p)));
  const centre = kept.reduce((sum, value) => sum + value, 0) / kept.length;
  for (const name of ['rpl-1', 'rpl-2'] as const) {
    const result = estimate(oneEach(probabilities), { estimator: name, resamples: 500, seed: SEED });
    near(result.logit, centre, 1e-12);
    near(result.prob_true_rpl, 1 / (1 + Math.exp(-centre)), 1e-12);
  }
});

estimator('replicates are averaged first, so that every template weighs the same', () => {
  const samples = [
    ...Array.from({ length: 9 }, (_, replicate) => ({ template: 'many', replicate, prob_true: 0.9 })),
    { template: 'one', replicate: 0, prob_true: 0.1 },
  ];
  const result = estimate(samples, { estimator: 'rpl-1', resamples: 200, seed: SEED });
  near(result.prob_true_rpl, 0.5, 1e-12);
  assert.is(result.imbalance_ratio, 9);
  assert.is(result.n_templates, 2);
});

estimator('rpl-2 below 8 templates is the mean and Student t at 96 %, t itself at 95 %', () => {
  const probabilities = [0.2, 0.35, 0.41, 0.62];
  const values = probabilities.map(logit);
  const mean = values.reduce((sum, value) => sum + value, 0) / 4;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 3);
  // Quantiles of Student's t with 3 degrees of freedom at .98 and .975, from printed tables.
  for (const [estimator, quantile] of [
    ['rpl-2', 3.4819],
    ['t', 3.182446305],
  ] as const) {
    const margin = (quantile * deviation) / 2;
    const result = estimate(oneEach(probabilities), { estimator, resamples: 100, seed: SEED });
    near(result.logit, mean, 1e-12);
    near(result.ci_lo, probabilityOf(mean - margin), 1e-5);
    near(result.ci_hi, probabilityOf(mean + margin), 1e-5);
  }
});

estimator('rpl-2 never collapses: 95 % of half a grid step stays on each side', () => {
  const result = estimate(oneEach(Array(16).fill(0.7)), { estimator: 'rpl-2', resamples: 500, seed: SEED });
  near(result.ci_lo, 0.67625, 1e-9);
  near(result.ci_hi, 0.72375, 1e-9);
  const reference = estimate(oneEach(Array(16).fill(0.7)), {
    estimator: 'rpl-1',
    resamples: 500,
    seed: SEED,
  });
  near(reference.ci_width, 0, 1e-12);
});

estimator(
  'what rounding leaves open shrinks as answers scatter, and outliers do not hide that they are alike',
  () => {
    const alike = 0.95 * 0.025;
    const margin = (answers: readonly number[]) => roundingMargin(answers, 0.05);
    near(margin(Array(16).fill(0.7)), alike, 1e-12);
    near(margin([0.65, ...Array(7).fill(0.7)]), alike, 1e-12);
    near(margin([...Array(4).fill(0.65), ...Array(4).fill(0.7)]), alike, 1e-12);
    near(margin([0.05, ...Array(14).fill(0.7), 1]), alike, 1e-12);
    // A variance of 2/7 of a squared step, less 1/12.
    const few = margin([0.65, ...Array(6).fill(0.7), 0.75]);
    near(few, alike * Math.exp(-2 * Math.PI ** 2 * (2 / 7 - 1 / 12)), 1e-12);
    assert.ok(margin([0.6, 0.65, 0.65, 0.7, 0.7, 0.75, 0.75, 0.8]) < 1e-6);
    assert.is(roundingMargin([0.7, 0.7], 0), 0);
  },
);

estimator('the answer grid is found', () => {
  assert.is(answerGridStep([0.05, 0.7, 1]), 0.05);
  assert.is(answerGridStep([0.05, 0.72, 1]), 0.01);
  assert.is(answerGridStep([0.05, 0.725]), 0.001);
  assert.is(answerGridStep([0.05, 0.72512345]), 0);
});

estimator('a rounded 1 is read as the middle of what it stands for, by rpl-2 but not by rpl-1', () => {
  near(gridLogit(1, 0.01), Math.log(0.9975 / 0.0025), 1e-9);
  near(gridLogit(0, 0.05), -Math.log(0.9875 / 0.0125), 1e-9);
  near(gridLogit(1, 0), Math.log(999_999), 1e-6);
  near(gridLogit(0.97, 0.01), Math.log(0.97 / 0.03), 1e-12);
  const answers = oneEach([0.96, 0.97, 0.98, 0.99, 1]);
  const centre = (name: Estimator) =>
    estimate(answers, { estimator: name, resamples: 100, seed: SEED }).logit;
  near(centre('rpl-2'), [0.96, 0.97, 0.98, 0.99, 0.9975].map(logit).reduce((a, b) => a + b) / 5, 1e-9);
  near(centre('t'), [0.96, 0.97, 0.98, 0.99, 1].map(logit).reduce((a, b) => a + b) / 5, 1e-9);
});

estimator('certain answers stay finite', () => {
  for (const name of ESTIMATORS) {
    for (const probability of [0, 1]) {
      const result = estimate(oneEach(Array(8).fill(probability)), {
        estimator: name,
        resamples: 200,
        seed: SEED,
      });
      assert.ok(Number.isFinite(result.logit));
      assert.ok(result.ci_lo >= 0 && result.ci_hi <= 1);
    }
  }
});

estimator('too few samples or templates are an error, not a number', () => {
  const refused = (samples: EstimatorSample[]) =>
    assert.throws(
      () => estimate(samples, { estimator: 'rpl-2', resamples: 100, seed: SEED }),
      (error: unknown) => error instanceof HxError && error.code === 'insufficient_samples',
    );
  refused([]);
  refused(oneEach([0.3, 0.4]));
  refused([0, 1, 2, 3].map((replicate) => ({ template: 'only', replicate, prob_true: 0.5 })));
});

const arbitrarySamples = fc
  .uniqueArray(
    fc.record({ template: fc.integer({ min: 0, max: 15 }), replicate: fc.integer({ min: 0, max: 3 }) }),
    {
      minLength: 6,
      maxLength: 48,
      selector: ({ template, replicate }) => `${template}/${replicate}`,
    },
  )
  .filter((cells) => new Set(cells.map(({ template }) => template)).size >= 2)
  .chain((cells) =>
    fc
      .array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: cells.length, maxLength: cells.length })
      .map((values) =>
        cells.map(({ template, replicate }, index) => ({
          template: `t${template}`,
          replicate,
          prob_true: values[index] ?? 0.5,
        })),
      ),
  );

estimator('the same samples in any order give the same bytes', () => {
  fc.assert(
    fc.property(
      arbitrarySamples,
      fc.constantFrom(...ESTIMATORS),
      fc.bigInt(0n, 2n ** 64n - 1n),
      (samples, name, seed) => {
        const options = { estimator: name, resamples: 100, seed };
        const shuffled = new Prng(seed).shuffle([...samples]);
        assert.is(plain(estimate(shuffled, options)), plain(estimate(samples, options)));
      },
    ),
    { numRuns: 200 },
  );
});

estimator('the interval contains the centre and stays within [0, 1]', () => {
  fc.assert(
    fc.property(arbitrarySamples, fc.constantFrom(...ESTIMATORS), (samples, name) => {
      const { prob_true_rpl, ci_lo, ci_hi } = estimate(samples, {
        estimator: name,
        resamples: 100,
        seed: SEED,
      });
      assert.ok(0 <= ci_lo && ci_lo <= prob_true_rpl && prob_true_rpl <= ci_hi && ci_hi <= 1);
    }),
    { numRuns: 200 },
  );
});

estimator.run();
