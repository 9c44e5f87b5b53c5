import { messageOf } from '../base/errors.js';
import type { CallFacts, CallFrame, PlannedSample } from '../rpl/sample.js';
import type { SettledOptions } from './ask-options.js';
import { ModelCallError } from './model.js';
import type { Reading } from './reading.js';

/** What became of a call. */
export interface CallResult<Facts extends CallFacts> {
  /** Null when the call was cut off from outside: nothing is known of its answer. */
  readonly attempt: (CallFrame & Facts) | null;
  /** What the model threw; undefined when it answered. */
  readonly thrown: unknown;
}

/** Makes one call within its deadline. Never throws; aborting the controller from outside cuts the call off. */
export async function makeCall<Facts extends CallFacts>(
  options: SettledOptions,
  reading: Reading<Facts>,
  sample: PlannedSample,
  ordinal: number,
  controller: AbortController,
): Promise<CallResult<Facts>> {
  const { model, decoding, clock, deadlineMs } = options;
  const startedAt = clock.now();
  const startedMs = clock.monotonicMs();
  const finished = (facts: Facts): CallFrame & Facts => ({
    sampleKey: sample.sampleKey,
    templateId: sample.templateId,
    replicate: sample.replicate,
    ordinal,
    ...facts,
    startedAt,
    latencyMs: Math.max(0, clock.monotonicMs() - startedMs),
  });
  let late: ModelCallError | undefined;
  const deadline = setTimeout(() => {
    late = new ModelCallError(`${model.identity.model} gave no answer within ${deadlineMs} ms.`, {
      kind: 'retryable',
    });
    controller.abort(late);
  }, deadlineMs);
  const { signal } = controller;
  try {
    const reply = await untilAborted(model.ask(sample, decoding, signal, ordinal), signal);
    return { attempt: finished(reading.read(reply)), thrown: undefined };
  } catch (error) {
    if (signal.aborted && signal.reason !== late) return { attempt: null, thrown: signal.reason };
    const thrown = signal.aborted ? late : error;
    return { attempt: finished(reading.failed(messageOf(thrown))), thrown };
  } finally {
    clearTimeout(deadline);
  }
}

/** The promise, or the signal's reason as soon as it is aborted, whether or not the work heeds the signal. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
