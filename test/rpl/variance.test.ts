import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type EstimatorSample, groupByTemplate } from '../../src/rpl/estimator.js';
import { explain } from '../../src/rpl/explain.js';
import { Prng } from '../../src/rpl/prng.js';
import { halfWidthLogit, probabilityWidth, templatesForWidth } from '../../src/rpl/sequential.js';
import { probabilityOf } from '../../src/rpl/statistics.js';
import { cheapestAllocation, expectedWidth, splitVariance } from '../../src/rpl/variance.js';

const variance = suite('rpl variance');

const LIMITS = { maxTemplates: 32, maxReplicates: 16 };

/** Samples whose logits are given, template by template. */
function samplesOf(...templates: readonly (readonly number[])[]): EstimatorSample[] {
  return templates.flatMap((logits, index) =>
    logits.map((value, replicate) => ({
      template: `t${String(index).padStart(2, '0')}`,
      replicate,
      prob_true: probabilityOf(value),
    })),
  );
}

const split = (...templates: readonly (readonly number[])[]) =>
  splitVariance(groupByTemplate(samplesOf(...templates), 0));

function near(actual: number | undefined, expected: number, tolerance = 1e-9): void {
  const message = `${actual} is not ${expected} within ${tolerance}`;
  assert.ok(actual !== undefined && Math.abs(actual - expected) <= tolerance, message);
}

variance('a balanced layout by hand', () => {
  // Means 1, 2 and 6; within each two answers 1 apart from their mean: MSB = 2 * 14 / 2 = 14, MSW = 6 / 3 = 2.
  const found = split([0, 2], [1, 3], [5, 7]);
  near(found?.sigma2_logit, 2);
  near(found?.tau2_logit, 6);
  near(found?.template_share, 0.75);
  near(found?.replicate_share, 0.25);
  assert.is(found?.tau2_truncated, false);
});

variance('an unbalanced layout by hand', () => {
  // Sizes 3, 2, 1; means 1, 3, 7; grand mean 16/6. SSB = 3 (25/9) + 2 (1/9) + 169/9 = 246/9; SSW = 2 + 2 = 4.
  const found = split([0, 1, 2], [2, 4], [7]);
  const sigma2 = 4 / 3;
  const size = (6 - 14 / 6) / 2;
  near(found?.sigma2_logit, sigma2);
  near(found?.tau2_logit, (246 / 9 / 2 - sigma2) / size);
});

variance('a negative estimate is cut at 0 and says so; one answer a template gives none', () => {
  const found = split([-3, 3], [-3.1, 3.1], [-2.9, 2.9]);
  assert.is(found?.tau2_logit, 0);
  assert.is(found?.tau2_truncated, true);
  assert.is(found?.replicate_share, 1);
  assert.is(split([1], [2], [3]), undefined);
  assert.is(split([1, 2]), undefined);
  assert.is(split([1, 1], [1, 1])?.template_share, 0);
});

variance('the split finds what was put in', () => {
  const prng = new Prng(3n);
  const templates = Array.from({ length: 4_000 }, () => {
    const effect = 0.5 * prng.normal();
    return Array.from({ length: 1 + prng.below(3) }, () => effect + 0.3 * prng.normal());
  });
  const found = split(...templates);
  near(found?.tau2_logit, 0.25, 0.02);
  near(found?.sigma2_logit, 0.09, 0.006);
});

variance('the cheapest allocation is the cheapest of all that are narrow enough', () => {
  for (const [tau2_logit, sigma2_logit] of [
    [0.04, 0.02],
    [0.3, 0.01],
    [0.01, 1],
  ] as const) {
    const spread = { tau2_logit, sigma2_logit };
    for (const width of [0.3, 0.2, 0.1]) {
      let fewest = Number.POSITIVE_INFINITY;
      for (let t = 2; t <= 32; t += 1) {
        for (let r = 1; r <= 16; r += 1) {
          if (expectedWidth(spread, 0.4, t, r) <= width) fewest = Math.min(fewest, t * r);
        }
      }
      const found = cheapestAllocation(spread, 0.4, width, LIMITS);
      assert.is(found?.calls ?? Number.POSITIVE_INFINITY, fewest);
      if (found !== undefined) near(found.expected_width, expectedWidth(spread, 0.4, found.t, found.r));
    }
  }
  assert.is(cheapestAllocation({ tau2_logit: 25, sigma2_logit: 1 }, 0, 0.05, LIMITS), undefined);
});

variance('an explanation holds every estimator, the template means and what other widths cost', () => {
  const samples = samplesOf([0, 0.2], [0.4, 0.7], [-0.3, 0], [0.1, 0.2], [0.9, 0.5], [0.3, 0.3]);
  const found = explain(samples, { resamples: 200, seed: 1n }, LIMITS);
  assert.equal(
    found.estimates.map(({ estimator }) => estimator),
    ['rpl-1', 'rpl-2', 't'],
  );
  assert.equal(
    found.templates.map(({ template }) => template),
    ['t02', 't00', 't03', 't05', 't01', 't04'],
  );
  near(found.templates[0]?.mean_logit, -0.15);
  assert.ok(found.variance !== null && found.variance.tau2_logit > 0);
  assert.equal(
    found.costs.map(({ width }) => width),
    [0.3, 0.2, 0.1, 0.05],
  );
  const once = explain(samplesOf([0], [1], [2]), { resamples: 200, seed: 1n }, LIMITS);
  assert.is(once.variance, null);
  assert.equal(once.costs, []);
});

variance("Stein's rule: narrower asks for more, and a steady first stage for none", () => {
  const first = samplesOf([0.2], [0.5], [-0.4], [0.1], [0.8], [0.3], [0.6], [-0.1]);
  const wide = templatesForWidth(first, 0.3);
  const narrow = templatesForWidth(first, 0.1);
  assert.ok(narrow > wide && wide >= 8, `${narrow} and ${wide}`);
  assert.is(templatesForWidth([...first].reverse(), 0.1), narrow);
  assert.is(templatesForWidth(samplesOf(...Array.from({ length: 8 }, () => [0.3])), 0.1), 8);
  near(probabilityWidth(1.2, halfWidthLogit(1.2, 0.25)), 0.25);
});

variance.run();
