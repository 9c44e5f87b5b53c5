import type { Readout, ReadoutDecoding } from '../rpl/readout.js';
import type { Attempt, CallFacts, CallFrame } from '../rpl/sample.js';
import { type AskOptions, DEFAULT_DEADLINE_MS, DEFAULT_MAX_ATTEMPTS } from './ask-options.js';
import { Dispatch } from './dispatch.js';
import { ANSWERS, type Reading, readoutReading } from './reading.js';

export type { AskOptions } from './ask-options.js';

/**
 * Asks a model for every sample and yields each attempt as it ends: answers, answers that will be asked for
 * again, and calls that failed. A sample ends when its answer is usable or a refusal, when its one retry is
 * used up, or when its calls have failed `maxAttempts` times. Calls go on while the consumer handles an attempt.
 * Leaving the loop early ends all calls.
 * @throws the signal's reason once aborted, after what came within a short grace was yielded.
 * @throws HxError `credentials`; `usage` or `failed` for a request that can never work; `stopped` when waiting
 *   would exceed the pacing's `maxWaitMs`; `unavailable` when nothing at all answered.
 */
export function ask(options: AskOptions): AsyncGenerator<Attempt> {
  return askFor(ANSWERS, options);
}

/**
 * Asks a model for every readout, under the same rules; one that says nothing is not asked for again, as it would
 * bring the same.
 * @throws what `ask` throws.
 */
export function askReadouts(
  options: AskOptions & { readonly decoding: ReadoutDecoding },
): AsyncGenerator<Readout> {
  return askFor(readoutReading(options.decoding), options);
}

async function* askFor<Facts extends CallFacts>(
  reading: Reading<Facts>,
  options: AskOptions,
): AsyncGenerator<CallFrame & Facts> {
  const settled = {
    ...options,
    deadlineMs: options.deadlineMs ?? DEFAULT_DEADLINE_MS,
    maxAttempts: options.maxAttempts ?? DEFAULT_MAX_ATTEMPTS,
    earlier: options.earlier ?? new Map(),
  };
  const dispatch = new Dispatch(settled, reading);
  try {
    dispatch.start();
    for (let attempt = await dispatch.next(); attempt !== undefined; attempt = await dispatch.next()) {
      yield attempt;
    }
    dispatch.throwIfStopped();
  } finally {
    dispatch.close();
  }
}
