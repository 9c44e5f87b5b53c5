import { oneStageBootstrap, twoStageBootstrap } from './bootstrap.js';
import { normalCdf, studentQuantile } from './distributions.js';
import { Prng } from './prng.js';
import { mean, percentile, standardDeviation, trimmedMean } from './statistics.js';

export const CONFIDENCE_LEVEL = 0.95;

/**
 * The level at which Student's t is taken where a spread rests on few templates. With so few nothing shows
 * whether wordings scatter normally, and where they scatter to one side t at 95 % holds only .932 (T = 4 and 5,
 * skewness 1); at 96 % it holds .944, and .961 where they are normal. See docs/coverage.md.
 */
export const SMALL_SAMPLE_LEVEL = 0.96;

/** From here on `rpl-2` uses the trimmed centre and the bootstrap, below it Student's t on the means. */
export const BOOTSTRAP_FROM_TEMPLATES = 8;

/** The share of bootstrap statistics beyond each end of a percentile interval. */
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
 * t at the level for few templates, because a resample of so few values says little about the next sample.
 */
export function expandedInterval(sortedMeans: Float64Array, resampling: Resampling): Interval {
  const templates = sortedMeans.length;
  if (templates < BOOTSTRAP_FROM_TEMPLATES) return studentInterval(sortedMeans, SMALL_SAMPLE_LEVEL);
  const statistics = oneStageBootstrap(sortedMeans, resampling.resamples, new Prng(resampling.seed));
  return aroundCentre(trimmedMean(sortedMeans), statistics, expandedTail(templates));
}

/** `t`: mean and Student's t with T - 1 degrees of freedom. */
export function studentInterval(means: Float64Array, level = CONFIDENCE_LEVEL): Interval {
  return aroundMean(means, studentFactor(means.length, level) * standardDeviation(means));
}

/**
 * `stein`: Stein's two-stage interval ("A two-sample test for a linear hypothesis whose power is independent of
 * the variance", 1945), the mean of all templates with the spread and the degrees of freedom of the first
 * stage. The first stage's spread decides how many templates follow, so the spread of all of them may not take
 * its place where it is smaller; where it is larger it does, because a first stage that met no outlier does
 * not know of them.
 * @param means of all templates.
 * @param firstMeans those of the first stage.
 */
export function steinInterval(means: Float64Array, firstMeans: Float64Array): Interval {
  const spread = Math.max(standardDeviation(firstMeans), standardDeviation(means));
  return aroundMean(means, studentFactor(firstMeans.length, SMALL_SAMPLE_LEVEL) * spread);
}

/** @param reach t times the standard deviation of one template mean. */
function aroundMean(means: Float64Array, reach: number): Interval {
  const centre = mean(means);
  const margin = reach / Math.sqrt(means.length);
  return { centre, low: centre - margin, high: centre + margin };
}

function aroundCentre(centre: number, sortedStatistics: Float64Array, tail: number): Interval {
  return {
    centre,
    low: Math.min(percentile(sortedStatistics, tail), centre),
    high: Math.max(percentile(sortedStatistics, 1 - tail), centre),
  };
}

/** The two-sided quantile of Student's t at a level, for the spread of so many values. */
export function studentFactor(values: number, level = CONFIDENCE_LEVEL): number {
  return studentQuantile((1 + level) / 2, values - 1);
}

/** The percentile at which a bootstrap interval is as wide as Student's t would make it. */
function expandedTail(templates: number): number {
  return normalCdf(-Math.sqrt(templates / (templates - 1)) * studentFactor(templates));
}
