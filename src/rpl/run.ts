import { canonicalJson, type JsonValue } from '../base/canonical.js';
import { centreOf, type Estimate, type EstimatorSample, estimate } from './estimator.js';
import { firstStageOf, growthLimit } from './growth.js';
import { type Outcome, readOutcome } from './outcome.js';
import type { MeasurementPlan } from './plan.js';
import { costOfAttempts, type Price } from './price.js';
import { decidingReadouts, NO_READOUT, type Readout, summariseReadouts } from './readout.js';
import type { RunRecord } from './record.js';
import type { Attempt } from './sample.js';
import { withWhatCame } from './shortage.js';
import { qualityOf, verdictOf } from './verdict.js';

/** Above this share of refusals the estimate comes with worst-case bounds. */
export const BOUNDS_ABOVE_REFUSED_SHARE = 0.2;

/** The runs by which answers came that a run uses beside its own. */
export interface Sources {
  readonly attempts: string | undefined;
  readonly readouts: string | undefined;
}

export interface RunInput {
  readonly runId: string;
  readonly createdAt: Date;
  readonly elapsedMs: number;
  readonly plan: MeasurementPlan;
  /** Attempts that this run made itself, in whichever invocation. */
  readonly ownAttempts: readonly Attempt[];
  /** Attempts of other runs whose answers this run uses. */
  readonly reusedAttempts: readonly Attempt[];
  /** The same of readouts; empty when the plan has none. */
  readonly ownReadouts: readonly Readout[];
  readonly reusedReadouts: readonly Readout[];
  /** The runs whose answers this run uses, where its store does not keep that otherwise. */
  readonly sources?: Sources;
  /** What the model costs; null when it is not known. */
  readonly price: Price | null;
}

/**
 * Makes the run's row from its stored attempts.
 * @throws HxError `insufficient_samples` when too few answers were usable.
 */
export function completeRun(input: RunInput): RunRecord {
  const { plan, ownAttempts, reusedAttempts, ownReadouts, reusedReadouts } = input;
  const calls = [...ownAttempts, ...ownReadouts];
  const readouts = decidingReadouts([...reusedReadouts, ...ownReadouts]);
  const { options } = plan;
  const attempts = [...reusedAttempts, ...ownAttempts];
  const outcome = readOutcome(plan, attempts);
  const result = estimateOf(plan, outcome, attempts);
  return {
    run_id: input.runId,
    env: plan.environment,
    created_at: input.createdAt,
    claim: plan.claim,
    claim_hash: plan.claimHash,
    model: plan.identity.model,
    model_resolved: outcome.modelResolved,
    simulated: plan.identity.simulated,
    bank: `${plan.bank.id}@${plan.bank.version}`,
    bank_hash: plan.bank.hash,
    config_hash: plan.configHash,
    k: plan.slots.length,
    r: options.r,
    t: plan.templates,
    b: options.b,
    temperature: options.decoding.temperature,
    max_output_tokens: options.decoding.maxOutputTokens,
    ...result,
    ...countsOf(outcome),
    ...refusalBounds(outcome, plan),
    ...qualityOf(outcome.compliance_rate, result.stability_score, result.ci_width),
    verdict: verdictOf(result.prob_true_rpl),
    calls_made: calls.length,
    samples_reused: new Set(reusedAttempts.map(({ sampleKey }) => sampleKey)).size,
    tokens_in: sumReported(calls.map(({ tokensIn }) => tokensIn)),
    tokens_out: sumReported(calls.map(({ tokensOut }) => tokensOut)),
    cost_usd: costOfAttempts(calls, input.price),
    elapsed_ms: input.elapsedMs,
    sampler_json: samplerJson(plan, input.sources),
    config_json: plan.configJson,
    counts_by_template_json: canonicalJson(outcome.countsByTemplate as unknown as JsonValue),
    ...(plan.options.readout === undefined ? NO_READOUT : summariseReadouts(readouts)),
    model_changed: outcome.modelChanged,
  };
}

function estimateOf(plan: MeasurementPlan, outcome: Outcome, attempts: readonly Attempt[]): Estimate {
  try {
    return estimate(outcome.usable, {
      estimator: plan.method,
      resamples: plan.options.b,
      seed: plan.bootstrapSeed,
      firstStage: firstStageOf(plan),
    });
  } catch (error) {
    throw withWhatCame(error, attempts);
  }
}

/** Templates in slot order, how their number came about when a width was wanted, and whose answers were used. */
function samplerJson(plan: MeasurementPlan, sources: Sources | undefined): string {
  const { slots, growth } = plan;
  const from = { reused_from: sources?.attempts, readouts_from: sources?.readouts };
  if (growth === null) return canonicalJson({ slots, ...from });
  return canonicalJson({
    slots,
    ...from,
    growth: {
      width: growth.width,
      max_calls: growth.maxCalls,
      first_templates: growth.firstTemplates,
      needed_templates: growth.neededTemplates,
      limited_by: growthLimit(plan),
    },
  });
}

/** The runs whose answers a stored run uses beside its own, by its sampler_json. */
export function storedSources(samplerJson: string): Sources {
  const { reused_from, readouts_from } = JSON.parse(samplerJson) as {
    readonly reused_from?: string;
    readonly readouts_from?: string;
  };
  return { attempts: reused_from, readouts: readouts_from };
}

function countsOf(outcome: Outcome) {
  const { n_samples, n_usable, n_refused, n_invalid, n_failed } = outcome;
  const { compliance_strict_first, compliance_repaired, compliance_rate } = outcome;
  return {
    n_samples,
    n_usable,
    n_refused,
    n_invalid,
    n_failed,
    compliance_strict_first,
    compliance_repaired,
    compliance_rate,
  };
}

/** Where the estimate would lie if every refusal had been a certain no, or a certain yes. */
function refusalBounds(
  outcome: Outcome,
  plan: MeasurementPlan,
): { prob_true_lower_bound: number | null; prob_true_upper_bound: number | null } {
  if (outcome.n_refused <= BOUNDS_ABOVE_REFUSED_SHARE * outcome.n_samples) {
    return { prob_true_lower_bound: null, prob_true_upper_bound: null };
  }
  const answeredWith = (prob_true: number): EstimatorSample[] => [
    ...outcome.usable,
    ...outcome.refused.map((sample) => ({ ...sample, prob_true })),
  ];
  return {
    prob_true_lower_bound: centreOf(answeredWith(0), plan.method),
    prob_true_upper_bound: centreOf(answeredWith(1), plan.method),
  };
}

/** The sum of what was reported; null when nothing was. */
function sumReported(counts: readonly (number | null)[]): number | null {
  const reported = counts.filter((count) => count !== null);
  return reported.length === 0 ? null : reported.reduce((sum, count) => sum + count, 0);
}
