import type { TemplateLogits } from './estimator.js';
import { BOOTSTRAP_FROM_TEMPLATES, CONFIDENCE_LEVEL, SMALL_SAMPLE_LEVEL, studentFactor } from './interval.js';
import { probabilityWidth } from './sequential.js';
import { mean } from './statistics.js';

/** Where the scatter of the answers comes from. Variances are in squared logits. */
export interface VarianceSplit {
  /** Between templates, tau^2: never below 0. */
  readonly tau2_logit: number;
  /** Between replicates of a template, sigma^2. */
  readonly sigma2_logit: number;
  /** tau^2 of what one answer scatters by, tau^2 + sigma^2; 0 when nothing scatters. */
  readonly template_share: number;
  readonly replicate_share: number;
  /** Whether tau^2 came out negative and was set to 0: templates agree better than their replicates do. */
  readonly tau2_truncated: boolean;
}

/**
 * Splits the variance by a one-way random effects analysis of variance, for unequal numbers of replicates
 * (Searle, Casella and McCulloch, "Variance Components", 1992, section 3.6): sigma^2 is the mean square within
 * templates, tau^2 = (mean square between - sigma^2) / n0 with n0 = (N - sum n_i^2 / N) / (T - 1).
 * @returns undefined with fewer than 2 templates or when no template has 2 answers: one answer a template
 *   cannot tell wording from chance.
 */
export function splitVariance(groups: readonly TemplateLogits[]): VarianceSplit | undefined {
  const sizes = groups.map(({ logits }) => logits.length);
  const answers = sum(sizes);
  const templates = groups.length;
  if (templates < 2 || answers === templates) return undefined;
  const centre = sum(groups.map(({ logits }) => sum(logits))) / answers;
  let between = 0;
  let within = 0;
  for (const { logits } of groups) {
    const templateMean = mean(logits);
    between += logits.length * (templateMean - centre) ** 2;
    for (const value of logits) within += (value - templateMean) ** 2;
  }
  const sigma2 = within / (answers - templates);
  const sizeOfTemplate = (answers - sum(sizes.map((size) => size ** 2)) / answers) / (templates - 1);
  const estimated = (between / (templates - 1) - sigma2) / sizeOfTemplate;
  const tau2 = Math.max(0, estimated);
  const total = tau2 + sigma2;
  return {
    tau2_logit: tau2,
    sigma2_logit: sigma2,
    template_share: total === 0 ? 0 : tau2 / total,
    replicate_share: total === 0 ? 0 : sigma2 / total,
    tau2_truncated: estimated < 0,
  };
}

/** Spreads as variances, in squared logits. */
export type Variances = Pick<VarianceSplit, 'tau2_logit' | 'sigma2_logit'>;

/** Templates T with R replicates each, and the interval to expect of them. */
export interface Allocation {
  readonly t: number;
  readonly r: number;
  /** T x R. */
  readonly calls: number;
  /** Probability. */
  readonly expected_width: number;
}

export interface AllocationLimits {
  /** Templates of the bank. */
  readonly maxTemplates: number;
  readonly maxReplicates: number;
}

/**
 * The 95 % width in probability to expect around a centre in logits: Student's t on T template means, whose
 * variance is tau^2 / T + sigma^2 / (T R).
 */
export function expectedWidth(variances: Variances, centre: number, templates: number, replicates: number) {
  const { tau2_logit, sigma2_logit } = variances;
  const variance = (tau2_logit + sigma2_logit / replicates) / templates;
  const level = templates < BOOTSTRAP_FROM_TEMPLATES ? SMALL_SAMPLE_LEVEL : CONFIDENCE_LEVEL;
  return probabilityWidth(centre, studentFactor(templates, level) * Math.sqrt(variance));
}

/**
 * The fewest calls whose interval is expected to be no wider than wanted; of equal numbers of calls the one
 * with the narrower interval.
 * @param width in probability.
 * @returns undefined when not even the largest allocation is expected to be narrow enough.
 */
export function cheapestAllocation(
  variances: Variances,
  centre: number,
  width: number,
  limits: AllocationLimits,
): Allocation | undefined {
  let best: Allocation | undefined;
  for (let r = 1; r <= limits.maxReplicates; r += 1) {
    for (let t = 2; t <= limits.maxTemplates; t += 1) {
      const calls = t * r;
      if (best !== undefined && calls > best.calls) break;
      const expected_width = expectedWidth(variances, centre, t, r);
      if (expected_width > width) continue;
      const isBetter = best === undefined || calls < best.calls || expected_width < best.expected_width;
      if (isBetter) best = { t, r, calls, expected_width };
      break;
    }
  }
  return best;
}

function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let index = 0; index < values.length; index += 1) total += values[index] as number;
  return total;
}
