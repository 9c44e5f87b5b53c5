import type { Finish } from '../rpl/answer.js';
import type { TokenPlace } from '../rpl/readout.js';
import type { Decoding, ModelIdentity, PlannedSample } from '../rpl/sample.js';

/** What came back from one call. */
export interface Reply {
  /** The answer as the provider sent it, whether or not it keeps to the schema. */
  readonly text: string;
  readonly finish: Finish;
  /** The model as the provider named it. */
  readonly modelResolved: string | null;
  readonly systemFingerprint: string | null;
  readonly tokensIn: number | null;
  readonly tokensOut: number | null;
  /** Token probabilities by place, where they were asked for and given. */
  readonly places?: readonly TokenPlace[] | null;
}

/** A language model that can be asked. */
export interface Model {
  readonly identity: ModelIdentity;
  /**
   * Makes one call, without any retry of its own: for JSON of our schema, or with `topLogprobs` for a word and its
   * token probabilities.
   * @param signal ends the call; the promise then rejects with its reason.
   * @param ordinal 1 for the first call of a sample. Real models never see it; a simulated one answers anew.
   * @throws ModelCallError when no answer came.
   */
  ask(sample: PlannedSample, decoding: Decoding, signal: AbortSignal, ordinal: number): Promise<Reply>;
}

/**
 * `retryable`: the same call may work later. `credentials`: the account may not call, no call of it can work.
 * `fatal`: the request itself is wrong, and every other call of the plan is like it.
 */
export type FailureKind = 'retryable' | 'credentials' | 'fatal';

export interface ModelCallFailure {
  readonly kind: FailureKind;
  /** HTTP status; null when no response came. */
  readonly status?: number | null | undefined;
  /** How long the provider asks us to wait, from now; null when it does not say. */
  readonly retryAfterMs?: number | null | undefined;
  /** What the user can do, where the provider knows it. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/** A call that brought no answer. Its message names the provider and the status, and holds no secret. */
export class ModelCallError extends Error {
  override readonly name = 'ModelCallError';
  readonly kind: FailureKind;
  readonly status: number | null;
  readonly retryAfterMs: number | null;
  readonly hint: string | undefined;

  constructor(message: string, failure: ModelCallFailure) {
    super(message, failure.cause === undefined ? undefined : { cause: failure.cause });
    this.kind = failure.kind;
    this.status = failure.status ?? null;
    this.retryAfterMs = failure.retryAfterMs ?? null;
    this.hint = failure.hint;
  }

  /** Whether the provider says that it has too much to do, so that fewer calls at once would help. */
  get isOverload(): boolean {
    return this.status === 429 || this.status === 503 || this.status === 529;
  }
}
