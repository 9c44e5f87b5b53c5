import { toHxError } from '../base/errors.js';
import type { EarlierCalls } from '../models/ask-options.js';
import type { MeasurementPlan } from '../rpl/plan.js';
import { costOfAttempt, FREE } from '../rpl/price.js';
import { isSettled, type Readout } from '../rpl/readout.js';
import { planReadouts } from '../rpl/readout-plan.js';
import { type Attempt, isUsable } from '../rpl/sample.js';
import type { Context } from './context.js';
import type { Instrument } from './instrument.js';
import { Journal } from './journal.js';
import { withWhatIsKept } from './kept.js';

export interface CollectReadouts {
  readonly instrument: Instrument;
  /** The plan as it was carried out, so that its templates are all there. */
  readonly plan: MeasurementPlan;
  /** What was asked for the plan's samples just now: progress counts on from it. */
  readonly attempts: readonly Attempt[];
  /** Readouts that are stored already, by the keys of those planned. */
  readonly stored: (keys: readonly string[]) => Promise<readonly Readout[]>;
  /** Commits readouts; resolves when they are safe. */
  readonly commit: (readouts: readonly Readout[]) => Promise<void>;
  readonly context: Context;
}

/**
 * Asks for the readouts of a plan that are missing, under the pace and budget of its other calls, and commits each
 * as it arrives. Nothing is asked when the plan has none.
 * @returns the new readouts, all committed.
 * @throws HxError `interrupted` or `stopped` with what was kept; whatever the model or the store throws.
 */
export async function collectReadouts(options: CollectReadouts): Promise<Readout[]> {
  const { instrument, plan, context } = options;
  const decoding = plan.options.readout;
  if (decoding === undefined) return [];
  const planned = planReadouts(plan);
  const stored = await options.stored(planned.map(({ sampleKey }) => sampleKey));
  const settled = new Set(stored.filter(isSettled).map(({ sampleKey }) => sampleKey));
  const missing = planned.filter(({ sampleKey }) => !settled.has(sampleKey));
  if (missing.length === 0) return [];
  const { askReadouts } = await import('../models/ask.js');
  const journal = new Journal(options.commit);
  const progress = progressOf(options, planned.length, settled);
  const readouts: Readout[] = [];
  try {
    const asked = askReadouts({
      model: instrument.model,
      samples: missing,
      decoding,
      pacing: instrument.pacing,
      budget: instrument.budget,
      signal: context.signal,
      clock: context.clock,
      earlier: earlierCalls(stored),
    });
    for await (const readout of asked) {
      readouts.push(readout);
      journal.add(readout);
      progress(readout);
    }
  } catch (thrown) {
    await journal.flushed();
    const kept = `All ${plan.samples.length} samples and ${settled.size} of ${planned.length} readouts are stored.`;
    throw withWhatIsKept(toHxError(thrown), kept, {
      readouts_stored: settled.size,
      readouts_planned: planned.length,
    });
  }
  await journal.flushed();
  return readouts;
}

function earlierCalls(stored: readonly Readout[]): Map<string, EarlierCalls> {
  const earlier = new Map<string, EarlierCalls>();
  for (const { sampleKey, ordinal } of stored) {
    const calls = Math.max(ordinal, earlier.get(sampleKey)?.calls ?? 0);
    earlier.set(sampleKey, { calls, hasUnusable: false });
  }
  return earlier;
}

/** Tells the door about each readout; `settled` grows with them. */
function progressOf(
  { plan, attempts, instrument: { price }, context }: CollectReadouts,
  planned: number,
  settled: Set<string>,
): (readout: Readout) => void {
  const startedMs = context.clock.monotonicMs();
  const costOf = (call: Readout | Attempt) => (price === null ? 0 : (costOfAttempt(call, price) ?? 0));
  let calls = attempts.length;
  let retried = attempts.filter(({ ordinal }) => ordinal > 1).length;
  let usable = attempts.filter(({ status }) => isUsable(status)).length;
  let costUsd = attempts.reduce((sum, attempt) => sum + costOf(attempt), 0);
  return (readout) => {
    calls += 1;
    if (readout.ordinal > 1) retried += 1;
    if (isSettled(readout)) settled.add(readout.sampleKey);
    if (readout.status === 'valid') usable += 1;
    costUsd += costOf(readout);
    context.emit({
      type: 'calls',
      what: 'samples and readouts',
      claim: plan.claim,
      model: plan.identity.model,
      done: plan.samples.length + settled.size,
      total: plan.samples.length + planned,
      usable,
      calls,
      retried,
      costUsd: price === null || price === FREE ? null : costUsd,
      elapsedMs: context.clock.monotonicMs() - startedMs,
    });
  };
}
