import {
  ESTIMATORS,
  type Estimate,
  type EstimatorOptions,
  type EstimatorSample,
  estimate,
  gridStepFor,
  groupByTemplate,
} from './estimator.js';
import type { Resampling } from './interval.js';
import type { TemplateReadout } from './readout.js';
import { mean, probabilityOf } from './statistics.js';
import {
  type Allocation,
  type AllocationLimits,
  cheapestAllocation,
  splitVariance,
  type VarianceSplit,
} from './variance.js';

/** Widths, in probability, for which an explanation says what they would cost; .30 is the gate. */
export const EXPLAINED_WIDTHS = [0.3, 0.2, 0.1, 0.05] as const;

/** One template's answers. */
export interface TemplateMean {
  readonly template: string;
  readonly answers: number;
  readonly mean_logit: number;
  readonly prob_true: number;
}

/** What it would take to reach a width. */
export interface WidthCost {
  readonly width: number;
  /** Null when the bank has too few templates for it. */
  readonly allocation: Allocation | null;
}

/** What lies behind an estimate. */
export interface Explanation {
  /** The same samples under every estimator. */
  readonly estimates: readonly Pick<
    Estimate,
    'estimator' | 'prob_true_rpl' | 'ci_lo' | 'ci_hi' | 'ci_width'
  >[];
  /** Lowest first. */
  readonly templates: readonly TemplateMean[];
  /** The grid on which the answers lie, in probability; 0 for none. */
  readonly answer_grid_step: number;
  /** Null when no template has two answers. */
  readonly variance: VarianceSplit | null;
  /** Empty when there is no variance split. */
  readonly costs: readonly WidthCost[];
  /** Token probabilities by template; empty without a readout. */
  readonly readouts: readonly TemplateReadout[];
}

/**
 * Explains an estimate. Template means and variances read rounded answers as `rpl-2` does.
 * @param stein for a run to a wanted width, which has an estimator of its own: it is listed too.
 * @throws HxError `insufficient_samples` as an estimate does.
 */
export function explain(
  samples: readonly EstimatorSample[],
  resampling: Resampling,
  limits: AllocationLimits,
  stein?: Pick<EstimatorOptions, 'firstStage'>,
): Explanation {
  const methods = stein === undefined ? ESTIMATORS : ([...ESTIMATORS, 'stein'] as const);
  const estimates = methods.map((estimator) => {
    const options = { ...resampling, ...stein, estimator };
    const { prob_true_rpl, ci_lo, ci_hi, ci_width } = estimate(samples, options);
    return { estimator, prob_true_rpl, ci_lo, ci_hi, ci_width };
  });
  const step = gridStepFor(samples, 'rpl-2');
  const groups = groupByTemplate(samples, step);
  const templates = groups
    .map(({ template, logits }): TemplateMean => {
      const mean_logit = mean(logits);
      return { template, answers: logits.length, mean_logit, prob_true: probabilityOf(mean_logit) };
    })
    .sort((left, right) => left.mean_logit - right.mean_logit);
  const variance = splitVariance(groups);
  const centre = mean(templates.map(({ mean_logit }) => mean_logit));
  const costs =
    variance === undefined
      ? []
      : EXPLAINED_WIDTHS.map((width) => ({
          width,
          allocation: cheapestAllocation(variance, centre, width, limits) ?? null,
        }));
  return { estimates, templates, answer_grid_step: step, variance: variance ?? null, costs, readouts: [] };
}
