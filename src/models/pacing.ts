import { Account } from './account.js';
import type { ModelCallError } from './model.js';
import type { RateEntry } from './rate.js';

/** First backoff is drawn from 0 to this, the next from 0 to twice this, and so on. */
export const BACKOFF_BASE_MS = 500;
export const BACKOFF_CAP_MS = 30_000;
/** Consecutive waiting beyond which it is better to stop and carry on another time. */
export const DEFAULT_MAX_WAIT_MS = 120_000;

/** What overload leaves of the calls in flight: CUBIC's factor (RFC 9438), nearer to a steady limit than a half. */
const DECREASE = 0.7;
/** A wait that is shorter than this is not worth a word. */
const NOTED_WAIT_MS = 2_000;
/** A day: whoever waits longer is better served by starting again. */
export const MAX_WAIT_SECONDS = 86_400;
/** Bounds of what a minute may hold, in requests or tokens. */
export const RATE = { minimum: 1, maximum: 1_000_000_000 } as const;

export interface PacingOptions {
  /** Calls in flight at once, at most. */
  readonly concurrency: number;
  /** Milliseconds of waiting without any answer, beyond which the whole stops, to be carried on later. */
  readonly maxWaitMs?: number;
  /** What others ask of the same account counts too; one of its own by default. */
  readonly account?: Account;
  /** In [0, 1), for jitter. */
  readonly random?: () => number;
  /** Hears of each wait of some length, in a sentence for the user. */
  readonly onWait?: (message: string) => void;
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
 * How fast one model of one account may be asked: additive increase, multiplicative decrease (Chiu and Jain 1989)
 * of the calls in flight, a time before which nothing is sent, and what a minute may hold. One object serves all
 * claims of an invocation, so that what one learned holds for the next.
 */
export class Pacing {
  /** Milliseconds of waiting without any answer, beyond which the whole stops. */
  readonly maxWaitMs: number;
  /** Calls in flight at once, at most. */
  readonly concurrency: number;
  private readonly random: () => number;
  private readonly onWait: (message: string) => void;
  private readonly account: Account;
  private allowed: number;
  private answersInWindow = 0;
  private decreasedAtMs = Number.NEGATIVE_INFINITY;
  private troubledSinceMs: number | undefined;
  private notedUntilMs = Number.NEGATIVE_INFINITY;

  constructor(options: PacingOptions) {
    this.maxWaitMs = options.maxWaitMs ?? DEFAULT_MAX_WAIT_MS;
    this.concurrency = options.concurrency;
    this.random = options.random ?? Math.random;
    this.onWait = options.onWait ?? (() => {});
    this.account = options.account ?? new Account();
    this.allowed = options.concurrency;
  }

  /** Calls that may be in flight now. */
  get limit(): number {
    return this.allowed;
  }

  /** Nothing is sent before this time. */
  get notBeforeMs(): number {
    return this.account.silentUntilMs;
  }

  /** When a call of so many tokens may be sent, at the earliest. */
  readyMs(tokens: number, nowMs: number): number {
    const readyMs = Math.max(
      this.account.requests.readyMs(1, nowMs),
      this.account.tokens.readyMs(tokens, nowMs),
    );
    this.note(readyMs, nowMs, "This minute's allowance of calls or tokens is used up.");
    return readyMs;
  }

  /** Counts a call that is being sent. @returns its share of the minute's tokens, for `used`. */
  sent(tokens: number, nowMs: number): RateEntry {
    this.account.requests.take(1, nowMs);
    return this.account.tokens.take(tokens, nowMs);
  }

  /** A call turned out to use so many tokens. */
  used(entry: RateEntry, tokens: number): void {
    this.account.tokens.correct(entry, tokens);
  }

  /** One answer came; a window full of them allows one more call at once. */
  answered(): void {
    this.troubledSinceMs = undefined;
    this.answersInWindow += 1;
    if (this.answersInWindow < this.allowed) return;
    this.answersInWindow = 0;
    this.allowed = Math.min(this.concurrency, this.allowed + 1);
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
      this.account.silentUntilMs = Math.max(this.account.silentUntilMs, nowMs + error.retryAfterMs);
    }
    if (nowMs + delayMs - this.troubledSinceMs > this.maxWaitMs) return null;
    this.note(this.account.silentUntilMs, nowMs, error.message);
    return delayMs;
  }

  /** Says a wait once, however often it is asked for. */
  private note(untilMs: number, nowMs: number, why: string): void {
    if (untilMs - nowMs < NOTED_WAIT_MS || untilMs - this.notedUntilMs < NOTED_WAIT_MS) return;
    this.notedUntilMs = untilMs;
    this.onWait(`${why} Waiting ${Math.ceil((untilMs - nowMs) / 1_000)} s.`);
  }

  /** Calls that were under way together fail together: they are one sign of overload, not many. */
  private decrease(startedMs: number, nowMs: number): void {
    if (startedMs < this.decreasedAtMs) return;
    this.decreasedAtMs = nowMs;
    this.answersInWindow = 0;
    this.allowed = Math.max(1, Math.floor(this.allowed * DECREASE));
  }

  /** Exponential backoff with full jitter; a wait that the provider named replaces the first one. */
  private backoffMs(error: ModelCallError, earlierFailures: number): number {
    if (error.retryAfterMs !== null && earlierFailures === 0) return 0;
    return this.random() * Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** earlierFailures);
  }
}
