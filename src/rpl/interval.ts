import { oneStageBootstrap, twoStageBootstrap } from './bootstrap.js';
import { normalCdf, studentQuantile } from './distributions.js';
import { Prng } from './prng.js';
import { mean, percentile, standardDeviation, trimmedMean } from './statistics.js';

export const CONFIDENCE_LEVEL = 0.95;

/** From here on `rpl-2` uses the trimmed centre and the bootstrap, below it Student's t on the means. */
export const BOOTSTRAP_FROM_TEMPLATES = 8;

const TAIL = (1 - CONFIDENCE_LEVEL) / 2;

/** A centre and its 95 % interval, all in logits. */
export interface Interval {
  readonly centre: number;
  readonly low: number;
  readonly high: number;
}

/** Resamples B and the seed they follow from. */
export interface Resampling {
  readonly resamples: number;
  readonly seed: bigint;
}

/**
 * `rpl-1`, compatible with the reference implementation: percentiles of the two-stage cluster bootstrap,
 * widened to contain the trimmed centre.
 */
export function clusterInterval(groups: readonly Float64Array[], { resamples, seed }: Resampling): Interval {
  const statistics = twoStageBootstrap(groups, resamples, new Prng(seed));
  return aroundCentre(trimmedMean(Float64Array.from(groups, mean).sort()), statistics, TAIL);
}

/**
 * `rpl-2`. From 8 templates: trimmed centre and the expanded percentile interval of a one-stage bootstrap
 * (Hesterberg, "What Teachers Should Know About the Bootstrap", 2015, section 5.3). Below: mean and Student's
 * t, because with so few values a resample says little about the next sample.
 */
export function expandedInterval(sortedMeans: Float64Array, resampling: Resampling): Interval {
  const templates = sortedMeans.length;
  if (templates < BOOTSTRAP_FROM_TEMPLATES) return studentInterval(sortedMeans);
  const statistics = oneStageBootstrap(sortedMeans, resampling.resamples, new Prng(resampling.seed));
  return aroundCentre(trimmedMean(sortedMeans), statistics, expandedTail(templates));
}

/** `t`: mean and Student's t with T - 1 degrees of freedom. */
export function studentInterval(means: Float64Array): Interval {
  return steinInterval(means, means);
}

/**
 * Stein's two-stage interval ("A two-sample test for a linear hypothesis whose power is independent of the
 * variance", 1945): the mean of all templates, the spread and the degrees of freedom of the first stage alone.
 * Because the first stage's spread decides how many templates follow, no other spread keeps the coverage.
 * @param means of all templates. @param firstMeans those of the first stage.
 */
export function steinInterval(means: Float64Array, firstMeans: Float64Array): Interval {
  const centre = mean(means);
  const margin = (studentFactor(firstMeans.length) * standardDeviation(firstMeans)) / Math.sqrt(means.length);
  return { centre, low: centre - margin, high: centre + margin };
}

function aroundCentre(centre: number, sortedStatistics: Float64Array, tail: number): Interval {
  return {
    centre,
    low: Math.min(percentile(sortedStatistics, tail), centre),
    high: Math.max(percentile(sortedStatistics, 1 - tail), centre),
  };
}

/** The two-sided 95 % quantile of Student's t for the spread of so many values. */
export function studentFactor(values: number): number {
  return studentQuantile(1 - TAIL, values - 1);
}

/** The percentile at which a bootstrap interval is as wide as Student's t would make it. */
function expandedTail(templates: number): number {
  return normalCdf(-Math.sqrt(templates / (templates - 1)) * studentFactor(templates));
}
