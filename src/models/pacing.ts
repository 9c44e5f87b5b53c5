import type { ModelCallError } from './model.js';

/** First backoff is drawn from 0 to this, the next from 0 to twice this, and so on. */
export const BACKOFF_BASE_MS = 500;
export const BACKOFF_CAP_MS = 30_000;
/** Consecutive waiting beyond which it is better to stop and carry on another time. */
export const DEFAULT_MAX_WAIT_MS = 120_000;

export interface PacingOptions {
  /** Calls in flight at once, at most. */
  readonly concurrency: number;
  readonly maxWaitMs: number;
  /** In [0, 1), for jitter. */
  readonly random: () => number;
}

/** A failed call as pacing sees it; times are milliseconds of one monotonic clock. */
export interface PacedFailure {
  readonly error: ModelCallError;
  readonly startedMs: number;
  readonly nowMs: number;
  /** Failures of the same sample before this one. */
  readonly earlierFailures: number;
}

/**
 * How fast one account may be asked: additive increase, multiplicative decrease (Chiu and Jain 1989) of the
 * calls in flight, and a time before which nothing is sent.
 */
export class Pacing {
  private readonly options: PacingOptions;
  private allowed: number;
  private answersInWindow = 0;
  private decreasedAtMs = Number.NEGATIVE_INFINITY;
  private silentUntilMs = Number.NEGATIVE_INFINITY;
  private troubledSinceMs: number | undefined;

  constructor(options: PacingOptions) {
    this.options = options;
    this.allowed = options.concurrency;
  }

  /** Calls that may be in flight now. */
  get limit(): number {
    return this.allowed;
  }

  /** Nothing is sent before this time. */
  get notBeforeMs(): number {
    return this.silentUntilMs;
  }

  /** One answer came; a window full of them allows one more call at once. */
  answered(): void {
    this.troubledSinceMs = undefined;
    this.answersInWindow += 1;
    if (this.answersInWindow < this.allowed) return;
    this.answersInWindow = 0;
    this.allowed = Math.min(this.options.concurrency, this.allowed + 1);
  }

  /**
   * One call failed in a way that may pass.
   * @returns how long its sample waits, in milliseconds; null when that would be longer than allowed.
   */
  failed({ error, startedMs, nowMs, earlierFailures }: PacedFailure): number | null {
    this.troubledSinceMs ??= nowMs;
    if (error.isOverload) this.decrease(startedMs, nowMs);
    const delayMs = Math.max(error.retryAfterMs ?? 0, this.backoffMs(error, earlierFailures));
    if (error.retryAfterMs !== null) {
      this.silentUntilMs = Math.max(this.silentUntilMs, nowMs + error.retryAfterMs);
    }
    return nowMs + delayMs - this.troubledSinceMs > this.options.maxWaitMs ? null : delayMs;
  }

  /** Calls that were under way together fail together: they are one sign of overload, not many. */
  private decrease(startedMs: number, nowMs: number): void {
    if (startedMs < this.decreasedAtMs) return;
    this.decreasedAtMs = nowMs;
    this.answersInWindow = 0;
    this.allowed = Math.max(1, Math.floor(this.allowed / 2));
  }

  /** Exponential backoff with full jitter; a wait that the provider named replaces the first one. */
  private backoffMs(error: ModelCallError, earlierFailures: number): number {
    if (error.retryAfterMs !== null && earlierFailures === 0) return 0;
    return this.options.random() * Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** earlierFailures);
  }
}
