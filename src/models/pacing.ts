import { Account } from './account.js';
import type { ModelCallError } from './model.js';
import type { RateEntry } from './rate.js';

/** First backoff is drawn from 0 to this, the next from 0 to twice this, and so on. */
export const BACKOFF_BASE_MS = 500;
export const BACKOFF_CAP_MS = 30_000;
/** Consecutive waiting beyond which it is better to stop and carry on another time. */
export const DEFAULT_MAX_WAIT_MS = 120_000;

/** What overload leaves of the calls in flight: half, as the way back to nearly the old width is quick. */
const DECREASE = 0.5;
/**
 * Overload answers beyond this share of recent calls are put down to our load. Where one call in ten fails by chance,
 * the share hardly gets there; a width of 4/3 of a steady limit does.
 */
const OVERLOAD_SHARE = 0.25;
/** While refusals exceed this share, a width that once was too much is not tried again. */
const CALM_SHARE = 0.08;
/** Weight of the newest call in the share, a moving average: about the last 80 calls count (2 / weight). */
const NEWEST_WEIGHT = 0.025;
/** Between two tries of a width that was too much before: rate limits count by time, not by calls. */
const PROBE_EVERY_MS = 5_000;
/** Failures in a row that are trouble, not chance: where one call in ten fails, one row in 10^8 is that long. */
const TROUBLED_ROW = 8;
/** A wait that is shorter than this is not worth a word. */
const NOTED_WAIT_MS = 2_000;

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
 * of the calls in flight, a time before which nothing is sent, and what a minute may hold. A refusal among answers
 * holds up its own sample only: fewer calls would not have spared it. Width and account yield when many recent
 * calls were refused, or when no answer has come since they last yielded or since the start. One object serves
 * all claims of an invocation, so that what one learned holds for the next.
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
  /** Of recent calls, those that met overload. */
  private overloadShare = 0;
  /** Whether an answer came since load was last seen to be too much; nothing is known before the first. */
  private isAnswering = false;
  private decreasedAtMs = Number.NEGATIVE_INFINITY;
  private changedAtMs = Number.NEGATIVE_INFINITY;
  /** The width that was too much when it was last lowered. */
  private ceiling = Number.POSITIVE_INFINITY;
  private troubledSinceMs: number | undefined;
  private failuresInRow = 0;
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

  /** Whether answers come, between failures that may be chance. */
  get isWell(): boolean {
    return this.isAnswering && this.failuresInRow < TROUBLED_ROW;
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

  /** One answer came; a window full of them allows one more call at once, up to what was too much before. */
  answered(nowMs: number): void {
    this.troubledSinceMs = undefined;
    this.failuresInRow = 0;
    this.isAnswering = true;
    this.overloadShare -= NEWEST_WEIGHT * this.overloadShare;
    this.answersInWindow += 1;
    if (this.answersInWindow < this.allowed || this.allowed >= this.concurrency) return;
    const isProbe = this.allowed + 1 >= this.ceiling;
    const isCalm = this.overloadShare <= CALM_SHARE && nowMs - this.changedAtMs >= PROBE_EVERY_MS;
    if (isProbe && !isCalm) return;
    this.resize(this.allowed + 1, nowMs);
    if (isProbe) this.ceiling = this.allowed + 1;
  }

  /**
   * One call failed in a way that may pass.
   * @returns how long its sample waits, in milliseconds; null when that would be longer than allowed.
   */
  failed({ error, startedMs, nowMs, earlierFailures }: PacedFailure): number | null {
    this.troubledSinceMs ??= nowMs;
    this.failuresInRow += 1;
    if (error.isOverload) this.overloaded(error, startedMs, nowMs);
    const delayMs = Math.max(error.retryAfterMs ?? 0, this.backoffMs(error, earlierFailures));
    if (nowMs + delayMs - this.troubledSinceMs > this.maxWaitMs) return null;
    this.note(this.account.silentUntilMs, nowMs, error.message);
    return delayMs;
  }

  /** Nothing is left to do before then but to wait for samples that failed. */
  held(untilMs: number, nowMs: number): void {
    this.note(untilMs, nowMs, 'Only samples whose calls failed are left.');
  }

  /** Says a wait once, however often it is asked for. */
  private note(untilMs: number, nowMs: number, why: string): void {
    if (untilMs - nowMs < NOTED_WAIT_MS || untilMs - this.notedUntilMs < NOTED_WAIT_MS) return;
    this.notedUntilMs = untilMs;
    this.onWait(`${why} Waiting ${Math.ceil((untilMs - nowMs) / 1_000)} s.`);
  }

  /** Counts one overload answer, and makes way when it looks like the work of our load. */
  private overloaded(error: ModelCallError, startedMs: number, nowMs: number): void {
    // Calls that were under way together fail together: they are one sign of overload, not many.
    const isNews = startedMs >= this.decreasedAtMs;
    if (isNews) this.overloadShare += NEWEST_WEIGHT * (1 - this.overloadShare);
    if (this.isAnswering && this.overloadShare <= OVERLOAD_SHARE) return;
    // Refusals in a row, with no answer between them, would have met a narrower width too: only the first says where
    // too much begins.
    if (isNews && this.isAnswering) this.ceiling = this.allowed;
    this.isAnswering = false;
    const { silentUntilMs } = this.account;
    this.account.silentUntilMs = Math.max(
      silentUntilMs,
      nowMs + (error.retryAfterMs ?? Number.NEGATIVE_INFINITY),
    );
    if (!isNews) return;
    this.decreasedAtMs = nowMs;
    // What was seen at the old width proves nothing about the new one.
    this.overloadShare = 0;
    this.resize(Math.max(1, Math.floor(this.allowed * DECREASE)), nowMs);
  }

  private resize(width: number, nowMs: number): void {
    this.allowed = width;
    this.answersInWindow = 0;
    this.changedAtMs = nowMs;
  }

  /** Exponential backoff with full jitter; a wait that the provider named replaces the first one. */
  private backoffMs(error: ModelCallError, earlierFailures: number): number {
    if (error.retryAfterMs !== null && earlierFailures === 0) return 0;
    return this.random() * Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** earlierFailures);
  }
}
