import type { Database } from '../operational/connection.js';
import type { MeasurementPlan } from '../rpl/plan.js';
import { isSettled, type Readout } from '../rpl/readout.js';
import type { Sources } from '../rpl/run.js';
import { type Attempt, isUsable } from '../rpl/sample.js';

/** Answers of earlier checks that need not be paid for again. */
export interface Reusable {
  /** The checks that asked for them. */
  readonly sources: Sources;
  readonly attempts: readonly Attempt[];
  readonly readouts: readonly Readout[];
}

export const NOTHING_TO_REUSE: Reusable = {
  sources: { attempts: undefined, readouts: undefined },
  attempts: [],
  readouts: [],
};

/**
 * Finds a check that asked for the same samples, and was made for another estimator, other resamples or without a
 * readout; and for the readouts one that asked for those, which need not be the same.
 * @param own what the run has answered itself: that comes first.
 * @returns for each sample that has a usable answer there its attempts, failed ones too, and the settled readouts.
 */
export async function findReusable(
  database: Database,
  plan: MeasurementPlan,
  own: { readonly attempts: readonly Attempt[]; readonly readouts: readonly Readout[] },
): Promise<Reusable> {
  const { findSame, readAttempts } = await import('../operational/checks.js');
  const { readReadouts } = await import('../operational/readouts.js');
  const asker = await findSame('samples', database, plan);
  const reader = plan.options.readout === undefined ? undefined : await findSame('readouts', database, plan);
  const stored = asker === undefined ? [] : await readAttempts(database, asker);
  const storedReadouts = reader === undefined ? [] : await readReadouts(database, reader);
  const answered = answeredKeys(stored);
  const ownAnswered = answeredKeys(own.attempts);
  const ownSettled = new Set(own.readouts.filter(isSettled).map(({ sampleKey }) => sampleKey));
  const attempts = stored.filter(({ sampleKey }) => answered.has(sampleKey) && !ownAnswered.has(sampleKey));
  const readouts = storedReadouts.filter((one) => isSettled(one) && !ownSettled.has(one.sampleKey));
  const sources = {
    attempts: attempts.length === 0 ? undefined : asker,
    readouts: readouts.length === 0 ? undefined : reader,
  };
  return { sources, attempts, readouts };
}

function answeredKeys(attempts: readonly Attempt[]): ReadonlySet<string> {
  return new Set(attempts.filter(({ status }) => isUsable(status)).map(({ sampleKey }) => sampleKey));
}
