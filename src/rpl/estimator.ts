import { HxError } from '../base/errors.js';
import { oneStageBootstrap, twoStageBootstrap } from './bootstrap.js';
import { normalCdf, studentQuantile } from './distributions.js';
import { Prng } from './prng.js';
import { type StabilityBand, stabilityBand, stabilityScore } from './stability.js';
import { logit, mean, percentile, probabilityOf, standardDeviation, trimmedMean } from './statistics.js';

export const ESTIMATORS = ['rpl-1', 'rpl-2'] as const;
export type Estimator = (typeof ESTIMATORS)[number];

export const DEFAULT_ESTIMATOR: Estimator = 'rpl-2';
export const DEFAULT_RESAMPLES = 5_000;
export const MAX_RESAMPLES = 100_000;
export const CONFIDENCE_LEVEL = 0.95;

/** Below this many usable samples no estimate is given. */
export const MIN_USABLE_SAMPLES = 3;
/** An interval over templates needs at least two of them. */
export const MIN_TEMPLATES = 2;
/** From here on `rpl-2` uses the trimmed centre and the bootstrap, below it Student's t on the means. */
export const BOOTSTRAP_FROM_TEMPLATES = 8;

/** Answer grids that models are seen to use, coarsest first, in probability. */
const ANSWER_GRID_STEPS = [0.05, 0.01, 0.001] as const;

/** One usable answer. */
export interface EstimatorSample {
  readonly template: string;
  /** 0-based within the template. */
  readonly replicate: number;
  /** In [0, 1]. */
  readonly prob_true: number;
}

/** The estimate; names are those of the run's columns. */
export interface Estimate {
  readonly prob_true_rpl: number;
  readonly logit: number;
  readonly ci_lo: number;
  readonly ci_hi: number;
  readonly ci_width: number;
  readonly template_iqr_logit: number;
  readonly stability_score: number;
  readonly stability_band: StabilityBand;
  readonly imbalance_ratio: number;
  readonly n_templates: number;
  readonly estimator: Estimator;
  readonly bootstrap_seed: bigint;
}

export interface EstimatorOptions {
  readonly estimator: Estimator;
  /** Bootstrap resamples, B. */
  readonly resamples: number;
  readonly seed: bigint;
}

/**
 * Estimates the prior belief from usable samples: logits, mean over the replicates of a template, every
 * template weighing the same, then the centre and 95 % interval of the chosen estimator. The same samples in
 * any order give the same bytes.
 * @throws HxError `insufficient_samples` below 3 samples or 2 templates.
 */
export function estimate(samples: readonly EstimatorSample[], options: EstimatorOptions): Estimate {
  const groups = groupByTemplate(samples);
  if (samples.length < MIN_USABLE_SAMPLES || groups.length < MIN_TEMPLATES) {
    throw new HxError(
      'insufficient_samples',
      `${count(samples.length, 'usable sample')} over ${count(groups.length, 'template')}: too few for an estimate.`,
      { hint: `An estimate needs at least ${MIN_USABLE_SAMPLES} samples over ${MIN_TEMPLATES} templates.` },
    );
  }
  const sortedMeans = Float64Array.from(groups, mean).sort();
  const interval =
    options.estimator === 'rpl-1'
      ? rpl1(groups, sortedMeans, options)
      : rpl2(sortedMeans, answerGridStep(samples), options);
  const iqr = percentile(sortedMeans, 0.75) - percentile(sortedMeans, 0.25);
  const sizes = groups.map((group) => group.length);
  return {
    prob_true_rpl: probabilityOf(interval.centre),
    logit: interval.centre,
    ci_lo: interval.low,
    ci_hi: interval.high,
    ci_width: interval.high - interval.low,
    template_iqr_logit: iqr,
    stability_score: stabilityScore(iqr),
    stability_band: stabilityBand(iqr),
    imbalance_ratio: Math.max(...sizes) / Math.min(...sizes),
    n_templates: groups.length,
    estimator: options.estimator,
    bootstrap_seed: options.seed,
  };
}

/** The point estimate alone, as a probability. */
export function centreOf(samples: readonly EstimatorSample[], estimator: Estimator): number {
  return probabilityOf(centreOfMeans(Float64Array.from(groupByTemplate(samples), mean).sort(), estimator));
}

/** Trimmed mean of the template means; `rpl-2` takes the plain mean below 8 templates. */
function centreOfMeans(sortedMeans: Float64Array, estimator: Estimator): number {
  const plain = estimator === 'rpl-2' && sortedMeans.length < BOOTSTRAP_FROM_TEMPLATES;
  return plain ? mean(sortedMeans) : trimmedMean(sortedMeans);
}

interface Interval {
  /** Logit. */
  readonly centre: number;
  /** Probability. */
  readonly low: number;
  /** Probability. */
  readonly high: number;
}

/** Reference-compatible: two-stage cluster bootstrap percentiles, widened to contain the trimmed centre. */
function rpl1(
  groups: readonly Float64Array[],
  sortedMeans: Float64Array,
  options: EstimatorOptions,
): Interval {
  const centre = centreOfMeans(sortedMeans, 'rpl-1');
  const tail = (1 - CONFIDENCE_LEVEL) / 2;
  const statistics = twoStageBootstrap(groups, options.resamples, new Prng(options.seed));
  return {
    centre,
    low: probabilityOf(Math.min(percentile(statistics, tail), centre)),
    high: probabilityOf(Math.max(percentile(statistics, 1 - tail), centre)),
  };
}

/**
 * From 8 templates: trimmed centre and the expanded percentile interval of a one-stage bootstrap (Hesterberg,
 * "What Teachers Should Know About the Bootstrap", 2015, section 5.3). Below: mean and Student's t. Neither
 * side is ever nearer to the centre than half a step of the grid on which the answers lie.
 */
function rpl2(sortedMeans: Float64Array, gridStep: number, options: EstimatorOptions): Interval {
  const templates = sortedMeans.length;
  const quantile = studentQuantile(1 - (1 - CONFIDENCE_LEVEL) / 2, templates - 1);
  const centre = centreOfMeans(sortedMeans, 'rpl-2');
  let low: number;
  let high: number;
  if (templates < BOOTSTRAP_FROM_TEMPLATES) {
    const margin = (quantile * standardDeviation(sortedMeans)) / Math.sqrt(templates);
    low = centre - margin;
    high = centre + margin;
  } else {
    const tail = normalCdf(-Math.sqrt(templates / (templates - 1)) * quantile);
    const statistics = oneStageBootstrap(sortedMeans, options.resamples, new Prng(options.seed));
    low = Math.min(percentile(statistics, tail), centre);
    high = Math.max(percentile(statistics, 1 - tail), centre);
  }
  const probability = probabilityOf(centre);
  return {
    centre,
    low: Math.max(0, Math.min(probabilityOf(low), probability - gridStep / 2)),
    high: Math.min(1, Math.max(probabilityOf(high), probability + gridStep / 2)),
  };
}

/** Logits by template, templates in code unit order, replicates upward: the order of every later sum. */
function groupByTemplate(samples: readonly EstimatorSample[]): Float64Array[] {
  const ordered = [...samples].sort(compareSamples);
  const groups: number[][] = [];
  let current: string | undefined;
  for (const { template, prob_true } of ordered) {
    if (template !== current) groups.push([]);
    current = template;
    groups.at(-1)?.push(logit(prob_true));
  }
  return groups.map((group) => Float64Array.from(group));
}

/** Orders samples by template, then replicate, then value, so that even repeated cells have one order. */
export function compareSamples(left: EstimatorSample, right: EstimatorSample): number {
  if (left.template !== right.template) return left.template < right.template ? -1 : 1;
  return left.replicate - right.replicate || left.prob_true - right.prob_true;
}

/** The coarsest grid on which every answer lies, in probability; 0 when they lie on none. */
export function answerGridStep(samples: readonly EstimatorSample[]): number {
  for (const step of ANSWER_GRID_STEPS) {
    const onGrid = samples.every(({ prob_true }) => {
      const steps = prob_true / step;
      return Math.abs(steps - Math.round(steps)) < 1e-6;
    });
    if (onGrid) return step;
  }
  return 0;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
