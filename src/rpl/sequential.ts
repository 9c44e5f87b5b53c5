import { answerGridStep } from './answer-grid.js';
import { type EstimatorSample, groupByTemplate } from './estimator.js';
import { SMALL_SAMPLE_LEVEL, studentFactor } from './interval.js';
import { mean, probabilityOf, standardDeviation } from './statistics.js';

/** Templates that are asked before the size of a measurement to a wanted width is settled. */
export const FIRST_STAGE_TEMPLATES = 8;

/** Bounds of a wanted width, in probability: finer than answers are written down, or no precision at all. */
export const WIDTH = { minimum: 0.01, maximum: 0.9 } as const;

/**
 * How many templates a measurement needs so that its 95 % interval is no wider than wanted, by Stein's
 * two-stage rule (1945): n = (t s / d)^2, s and the degrees of freedom of t from the first stage alone, d half
 * the wanted width in logits. Nothing looks at the interval itself: stopping once it happens to be narrow
 * keeps the lucky cases and loses coverage.
 *
 * A width in probability is widest in logits far from 1/2; d is taken at the point of the first stage's own
 * interval that is nearest to 1/2, where a logit is worth most.
 * @param first usable samples of the first stage, of at least 2 templates.
 * @returns at least the first stage's own number, and not capped.
 */
export function templatesForWidth(first: readonly EstimatorSample[], width: number): number {
  const step = answerGridStep(first.map(({ prob_true }) => prob_true));
  const means = Float64Array.from(groupByTemplate(first, step), ({ logits }) => mean(logits));
  const spread = studentFactor(means.length, SMALL_SAMPLE_LEVEL) * standardDeviation(means);
  const margin = spread / Math.sqrt(means.length);
  const centre = mean(means);
  const nearest = Math.sign(centre) * Math.max(0, Math.abs(centre) - margin);
  return Math.max(means.length, Math.ceil((spread / halfWidthLogit(nearest, width)) ** 2));
}

/** The half-width in logits of an interval around a centre in logits that is so wide in probability. */
export function halfWidthLogit(centre: number, width: number): number {
  let low = 0;
  let high = 1;
  while (probabilityWidth(centre, high) < width) high *= 2;
  for (;;) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) return middle;
    if (probabilityWidth(centre, middle) < width) low = middle;
    else high = middle;
  }
}

/** The width in probability of centre +- margin, both in logits. */
export function probabilityWidth(centre: number, margin: number): number {
  return probabilityOf(centre + margin) - probabilityOf(centre - margin);
}
