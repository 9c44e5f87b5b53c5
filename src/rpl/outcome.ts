import type { EstimatorSample } from './estimator.js';
import type { MeasurementPlan } from './plan.js';
import { type Attempt, isUsable } from './sample.js';

/** What became of a template's samples. */
export interface TemplateCounts {
  usable: number;
  refused: number;
  other: number;
}

/** What became of every planned sample. */
export interface Outcome {
  readonly usable: readonly EstimatorSample[];
  readonly refused: readonly Omit<EstimatorSample, 'prob_true'>[];
  readonly n_samples: number;
  readonly n_usable: number;
  readonly n_refused: number;
  readonly n_invalid: number;
  readonly n_failed: number;
  readonly compliance_strict_first: number;
  readonly compliance_repaired: number;
  readonly compliance_rate: number;
  readonly countsByTemplate: Readonly<Record<string, TemplateCounts>>;
  /** The model as it named itself; several names, comma-separated, when it changed within the run. */
  readonly modelResolved: string | null;
  /** Whether usable answers name more than one model, or more than one serving of it. */
  readonly modelChanged: boolean;
}

/**
 * Reads the outcome off stored attempts, whatever their order. A sample's first usable attempt counts, once,
 * however many arrived; a sample without one takes the status of its last attempt.
 */
export function readOutcome(plan: MeasurementPlan, attempts: readonly Attempt[]): Outcome {
  const bySample = groupAttempts(attempts);
  const usable: EstimatorSample[] = [];
  const refused: Omit<EstimatorSample, 'prob_true'>[] = [];
  const countsByTemplate: Record<string, TemplateCounts> = {};
  const totals = { invalid: 0, failed: 0, strictFirst: 0, repaired: 0 };
  for (const { sampleKey, templateId, replicate } of plan.samples) {
    countsByTemplate[templateId] ??= { usable: 0, refused: 0, other: 0 };
    const counts = countsByTemplate[templateId];
    const own = bySample.get(sampleKey) ?? [];
    if (own.find(({ status }) => status !== 'failed')?.status === 'valid') totals.strictFirst += 1;
    const final = own.find(({ status }) => isUsable(status)) ?? own.at(-1);
    if (final?.probTrue != null && isUsable(final.status)) {
      usable.push({ template: templateId, replicate, prob_true: final.probTrue });
      counts.usable += 1;
      if (final.status === 'repaired') totals.repaired += 1;
    } else if (final?.status === 'refused') {
      refused.push({ template: templateId, replicate });
      counts.refused += 1;
    } else {
      counts.other += 1;
      if (final === undefined || final.status === 'failed') totals.failed += 1;
      else totals.invalid += 1;
    }
  }
  const planned = plan.samples.length;
  return {
    usable,
    refused,
    n_samples: planned,
    n_usable: usable.length,
    n_refused: refused.length,
    n_invalid: totals.invalid,
    n_failed: totals.failed,
    compliance_strict_first: totals.strictFirst / planned,
    compliance_repaired: totals.repaired / planned,
    compliance_rate: usable.length / planned,
    countsByTemplate,
    modelResolved: resolvedNames(attempts),
    modelChanged: isChanged(attempts.filter(({ status }) => isUsable(status))),
  };
}

/** The usable samples in a run's attempts, its plan not needed: of each sample the first usable answer. */
export function usableSamples(attempts: readonly Attempt[]): EstimatorSample[] {
  return [...groupAttempts(attempts).values()].flatMap((own) => {
    const first = own.find(({ status }) => isUsable(status));
    if (first === undefined || first.probTrue === null) return [];
    return [{ template: first.templateId, replicate: first.replicate, prob_true: first.probTrue }];
  });
}

/** Attempts by sample, each list in the order of its ordinals. */
export function groupAttempts(attempts: readonly Attempt[]): Map<string, Attempt[]> {
  const bySample = new Map<string, Attempt[]>();
  for (const attempt of attempts) {
    const own = bySample.get(attempt.sampleKey);
    if (own === undefined) bySample.set(attempt.sampleKey, [attempt]);
    else own.push(attempt);
  }
  for (const own of bySample.values()) own.sort((left, right) => left.ordinal - right.ordinal);
  return bySample;
}

function resolvedNames(attempts: readonly Attempt[]): string | null {
  const names = new Set(attempts.flatMap(({ modelResolved }) => modelResolved ?? []));
  return names.size === 0 ? null : [...names].sort().join(', ');
}

function isChanged(attempts: readonly Attempt[]): boolean {
  const models = new Set(attempts.flatMap(({ modelResolved }) => modelResolved ?? []));
  const fingerprints = new Set(attempts.flatMap(({ systemFingerprint }) => systemFingerprint ?? []));
  return models.size > 1 || fingerprints.size > 1;
}
