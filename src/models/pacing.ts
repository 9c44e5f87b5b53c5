import { Account } from './account.js';
import type { ModelCallError } from './model.js';
import type { RateEntry } from './rate.js';
import { Width } from './width.js';

/** First backoff is drawn from 0 to this, the next from 0 to twice this, and so on. */
export const BACKOFF_BASE_MS = 500;
export const BACKOFF_CAP_MS = 30_000;
/** Doublings at most while answers come: up to 2 s. */
const WELL_DOUBLINGS = 2;
/** Consecutive waiting beyond which it is better to stop and carry on another time. */
export const DEFAULT_MAX_WAIT_MS = 120_000;

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
 * How fast one model of one account may be asked: so many calls in flight, a time before which nothing is sent, and
 * what a minute may hold. A refusal among answers holds up its own sample only; when refusals look like the work of
 * our load, the whole account waits. One object serves all claims of an invocation, so that what one learned holds
 * for the next.
 */
export class Pacing {
  /** Milliseconds of waiting without any answer, beyond which the whole stops. */
  readonly maxWaitMs: number;
  /** Calls in flight at once, at most. */
  readonly concurrency: number;
  private readonly random: () => number;
  private readonly onWait: (message: string) => void;
  private readonly account: Account;
  private readonly width: Width;
  private troubledSinceMs: number | undefined;
  private failuresInRow = 0;
  private notedUntilMs = Number.NEGATIVE_INFINITY;

  constructor(options: PacingOptions) {
    this.maxWaitMs = options.maxWaitMs ?? DEFAULT_MAX_WAIT_MS;
    this.concurrency = options.concurrency;
    this.random = options.random ?? Math.random;
    this.onWait = options.onWait ?? (() => {});
    this.account = options.account ?? new Account();
    this.width = new Width(options.concurrency);
  }

  /** Calls that may be in flight now. */
  get limit(): number {
    return this.width.limit;
  }

  /** Whether answers come, between failures that may be chance. */
  get isWell(): boolean {
    return this.width.isAnswering && this.failuresInRow < TROUBLED_ROW;
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

  /** One answer came. */
  answered(nowMs: number): void {
    this.troubledSinceMs = undefined;
    this.failuresInRow = 0;
    this.width.answered(nowMs);
  }

  /**
   * One call failed in a way that may pass.
   * @returns how long its sample waits, in milliseconds; null when that would be longer than allowed.
   */
  failed({ error, startedMs, nowMs, earlierFailures }: PacedFailure): number | null {
    this.troubledSinceMs ??= nowMs;
    this.failuresInRow += 1;
    if (error.isOverload && this.width.overloaded(startedMs, nowMs)) this.keepSilent(error, nowMs);
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

  /** The whole account waits for as long as the provider named. */
  private keepSilent({ retryAfterMs }: ModelCallError, nowMs: number): void {
    if (retryAfterMs === null) return;
    this.account.silentUntilMs = Math.max(this.account.silentUntilMs, nowMs + retryAfterMs);
  }

  /** Exponential backoff with full jitter; a wait that the provider named replaces the first one. */
  private backoffMs(error: ModelCallError, earlierFailures: number): number {
    if (error.retryAfterMs !== null && earlierFailures === 0) return 0;
    // While others are answered a sample that fails again and again has bad luck, not a provider that needs a rest.
    const doublings = this.isWell ? Math.min(earlierFailures, WELL_DOUBLINGS) : earlierFailures;
    return this.random() * Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** doublings);
  }
}
