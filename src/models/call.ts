import { messageOf } from '../base/errors.js';
import { readAnswer } from '../rpl/answer.js';
import type { Attempt, PlannedSample } from '../rpl/sample.js';
import type { SettledOptions } from './ask-options.js';
import { ModelCallError, type Reply } from './model.js';

/** What became of a call. */
export interface CallResult {
  /** Null when the call was cut off from outside: nothing is known of its answer. */
  readonly attempt: Attempt | null;
  /** What the model threw; undefined when it answered. */
  readonly thrown: unknown;
}

/** Makes one call within its deadline. Never throws; aborting the controller from outside cuts the call off. */
export async function makeCall(
  options: SettledOptions,
  sample: PlannedSample,
  ordinal: number,
  controller: AbortController,
): Promise<CallResult> {
  const { model, decoding, clock, deadlineMs } = options;
  const startedAt = clock.now();
  const startedMs = clock.monotonicMs();
  const finished = (facts: AttemptFacts): Attempt => ({
    sampleKey: sample.sampleKey,
    templateId: sample.templateId,
    replicate: sample.replicate,
    ordinal,
    ...facts,
    startedAt,
    latencyMs: Math.max(0, clock.monotonicMs() - startedMs),
  });
  const late = new ModelCallError(`${model.identity.model} gave no answer within ${deadlineMs} ms.`, {
    kind: 'retryable',
  });
  const deadline = setTimeout(() => controller.abort(late), deadlineMs);
  const { signal } = controller;
  try {
    const reply = await untilAborted(model.ask(sample, decoding, signal, ordinal), signal);
    return { attempt: finished(readReply(reply)), thrown: undefined };
  } catch (error) {
    if (signal.aborted && signal.reason !== late) return { attempt: null, thrown: signal.reason };
    const thrown = signal.aborted ? late : error;
    return { attempt: finished(failure(messageOf(thrown))), thrown };
  } finally {
    clearTimeout(deadline);
  }
}

type AttemptFacts = Omit<
  Attempt,
  'sampleKey' | 'templateId' | 'replicate' | 'ordinal' | 'startedAt' | 'latencyMs'
>;

function readReply({ text, finish, ...rest }: Reply): AttemptFacts {
  return { ...readAnswer(text, finish), answerText: text, ...rest };
}

function failure(problem: string): AttemptFacts {
  return {
    status: 'failed',
    probTrue: null,
    answerText: null,
    problem,
    modelResolved: null,
    systemFingerprint: null,
    tokensIn: null,
    tokensOut: null,
  };
}

/** The promise, or the signal's reason as soon as it is aborted, whether or not the work heeds the signal. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
