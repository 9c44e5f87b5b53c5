import { HxError } from '../base/errors.js';
import { answerGridStep, gridLogit, roundingMargin } from './answer-grid.js';
import {
  BOOTSTRAP_FROM_TEMPLATES,
  clusterInterval,
  expandedInterval,
  type Interval,
  type Resampling,
  steinInterval,
  studentInterval,
} from './interval.js';
import { type StabilityBand, stabilityBand, stabilityScore } from './stability.js';
import { mean, percentile, probabilityOf, trimmedMean } from './statistics.js';

/** The intervals that can be chosen. */
export const ESTIMATORS = ['rpl-1', 'rpl-2', 't'] as const;
export type Estimator = (typeof ESTIMATORS)[number];

/** `stein` cannot be chosen: it is the interval of a measurement that grew to a wanted width. */
export type IntervalMethod = Estimator | 'stein';

export const DEFAULT_ESTIMATOR: Estimator = 'rpl-2';
export const DEFAULT_RESAMPLES = 5_000;
export const MAX_RESAMPLES = 100_000;

/** Below this many usable samples no estimate is given. */
export const MIN_USABLE_SAMPLES = 3;
/** An interval over templates needs at least two of them. */
export const MIN_TEMPLATES = 2;

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
  readonly estimator: IntervalMethod;
  readonly bootstrap_seed: bigint;
}

export interface EstimatorOptions extends Resampling {
  readonly estimator: IntervalMethod;
  /** Templates of the first stage, for `stein`; none when its size was capped and so followed from no answer. */
  readonly firstStage?: readonly string[] | undefined;
}

/** A template's usable answers in logits, replicates upward. */
export interface TemplateLogits {
  readonly template: string;
  readonly logits: Float64Array;
}

/**
 * Estimates the prior belief from usable samples: logits, mean over the replicates of a template, every
 * template weighing the same, then the centre and 95 % interval of the chosen estimator. The same samples in
 * any order give the same bytes.
 *
 * | estimator | answers of 0 and 1 | centre | interval |
 * |---|---|---|---|
 * | `rpl-1` | clamped to 1e-6 | 20 % trimmed mean | two-stage bootstrap percentiles |
 * | `rpl-2` | read by their grid | 20 % trimmed mean; mean below 8 templates | expanded bootstrap percentiles; t at 96 % below 8 |
 * | `t` | clamped to 1e-6 | mean | Student's t |
 * | `stein` | read by their grid | mean | Student's t with the spread of the first stage; plain t when capped |
 *
 * Where answers are read by their grid, neither side of the interval is nearer to the centre than what rounding
 * leaves open (`roundingMargin`).
 * @throws HxError `insufficient_samples` below 3 samples or 2 templates.
 */
export function estimate(samples: readonly EstimatorSample[], options: EstimatorOptions): Estimate {
  const { estimator } = options;
  const gridStep = gridStepFor(samples, estimator);
  const groups = groupByTemplate(samples, gridStep);
  if (samples.length < MIN_USABLE_SAMPLES || groups.length < MIN_TEMPLATES) {
    throw new HxError(
      'insufficient_samples',
      `${count(samples.length, 'usable sample')} over ${count(groups.length, 'template')}: too few for an estimate.`,
      { hint: `An estimate needs at least ${MIN_USABLE_SAMPLES} samples over ${MIN_TEMPLATES} templates.` },
    );
  }
  const sortedMeans = sortedMeansOf(groups);
  const interval = intervalOf(groups, sortedMeans, options);
  const probability = probabilityOf(interval.centre);
  const margin = roundingMargin(
    samples.map(({ prob_true }) => prob_true),
    gridStep,
  );
  const low = Math.max(0, Math.min(probabilityOf(interval.low), probability - margin));
  const high = Math.min(1, Math.max(probabilityOf(interval.high), probability + margin));
  const iqr = percentile(sortedMeans, 0.75) - percentile(sortedMeans, 0.25);
  const sizes = groups.map(({ logits }) => logits.length);
  return {
    prob_true_rpl: probability,
    logit: interval.centre,
    ci_lo: low,
    ci_hi: high,
    ci_width: high - low,
    template_iqr_logit: iqr,
    stability_score: stabilityScore(iqr),
    stability_band: stabilityBand(iqr),
    imbalance_ratio: Math.max(...sizes) / Math.min(...sizes),
    n_templates: groups.length,
    estimator,
    bootstrap_seed: options.seed,
  };
}

function intervalOf(
  groups: readonly TemplateLogits[],
  sortedMeans: Float64Array,
  options: EstimatorOptions,
): Interval {
  switch (options.estimator) {
    case 'rpl-1':
      return clusterInterval(
        groups.map(({ logits }) => logits),
        options,
      );
    case 'rpl-2':
      return expandedInterval(sortedMeans, options);
    case 't':
      return studentInterval(sortedMeans);
    case 'stein': {
      if (options.firstStage === undefined) return studentInterval(sortedMeans);
      const first = new Set(options.firstStage);
      const firstGroups = groups.filter(({ template }) => first.has(template));
      if (firstGroups.length < MIN_TEMPLATES) throw tooFewInFirstStage(firstGroups.length);
      return steinInterval(sortedMeans, sortedMeansOf(firstGroups));
    }
  }
}

/** The point estimate alone, as a probability. */
export function centreOf(samples: readonly EstimatorSample[], estimator: IntervalMethod): number {
  const means = sortedMeansOf(groupByTemplate(samples, gridStepFor(samples, estimator)));
  const trimmed =
    estimator === 'rpl-1' || (estimator === 'rpl-2' && means.length >= BOOTSTRAP_FROM_TEMPLATES);
  return probabilityOf(trimmed ? trimmedMean(means) : mean(means));
}

/** The grid by which answers are read; 0 for the estimators that clamp instead. */
export function gridStepFor(samples: readonly EstimatorSample[], estimator: IntervalMethod): number {
  if (estimator === 'rpl-1' || estimator === 't') return 0;
  return answerGridStep(samples.map(({ prob_true }) => prob_true));
}

/** Answers by template, templates in code unit order, replicates upward: the order of every later sum. */
export function groupByTemplate(samples: readonly EstimatorSample[], gridStep: number): TemplateLogits[] {
  const groups: { template: string; logits: number[] }[] = [];
  let current: { template: string; logits: number[] } | undefined;
  for (const { template, prob_true } of [...samples].sort(compareSamples)) {
    if (template !== current?.template) {
      current = { template, logits: [] };
      groups.push(current);
    }
    current.logits.push(gridLogit(prob_true, gridStep));
  }
  return groups.map(({ template, logits }) => ({ template, logits: Float64Array.from(logits) }));
}

function sortedMeansOf(groups: readonly TemplateLogits[]): Float64Array {
  return Float64Array.from(groups, ({ logits }) => mean(logits)).sort();
}

/** Orders samples by template, then replicate, then value, so that even repeated cells have one order. */
export function compareSamples(left: EstimatorSample, right: EstimatorSample): number {
  if (left.template !== right.template) return left.template < right.template ? -1 : 1;
  return left.replicate - right.replicate || left.prob_true - right.prob_true;
}

function tooFewInFirstStage(templates: number): HxError {
  return new HxError(
    'insufficient_samples',
    `The first stage has usable samples of ${count(templates, 'template')}: too few for an interval.`,
    { hint: 'Run it again without --width, or with a model that answers.' },
  );
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
