import type { Database } from '../operational/connection.js';
import type { MeasurementPlan } from '../rpl/plan.js';
import { isSettled, type Readout } from '../rpl/readout.js';
import { type Attempt, isUsable } from '../rpl/sample.js';

/** Answers of an earlier check that need not be paid for again. */
export interface Reusable {
  /** The check that asked for them; null when there is none. */
  readonly runId: string | null;
  readonly attempts: readonly Attempt[];
  readonly readouts: readonly Readout[];
}

export const NOTHING_TO_REUSE: Reusable = { runId: null, attempts: [], readouts: [] };

/**
 * Finds a check that asked for the same samples, and was made for another estimator, other resamples or without a
 * readout.
 * @param own what the run has answered itself: that comes first.
 * @returns for each sample that has a usable answer there its attempts, failed ones too, and the settled readouts.
 */
export async function findReusable(
  database: Database,
  plan: MeasurementPlan,
  own: { readonly attempts: readonly Attempt[]; readonly readouts: readonly Readout[] },
): Promise<Reusable> {
  const { findSameSamples, readAttempts } = await import('../operational/checks.js');
  const { readReadouts } = await import('../operational/readouts.js');
  const runId = await findSameSamples(database, plan);
  if (runId === undefined) return NOTHING_TO_REUSE;
  const attempts = await readAttempts(database, runId);
  const readouts = plan.options.readout === undefined ? [] : await readReadouts(database, runId);
  const answered = answeredKeys(attempts);
  const ownAnswered = answeredKeys(own.attempts);
  const ownSettled = new Set(own.readouts.filter(isSettled).map(({ sampleKey }) => sampleKey));
  const reusable = {
    runId,
    attempts: attempts.filter(({ sampleKey }) => answered.has(sampleKey) && !ownAnswered.has(sampleKey)),
    readouts: readouts.filter((one) => isSettled(one) && !ownSettled.has(one.sampleKey)),
  };
  return reusable.attempts.length + reusable.readouts.length === 0 ? NOTHING_TO_REUSE : reusable;
}

function answeredKeys(attempts: readonly Attempt[]): ReadonlySet<string> {
  return new Set(attempts.filter(({ status }) => isUsable(status)).map(({ sampleKey }) => sampleKey));
}
