import type { HxError } from '../base/errors.js';
import { type CallFacts, type CallFrame, deservesRetry, type PlannedSample } from '../rpl/sample.js';
import type { SettledOptions } from './ask-options.js';
import { type CallResult, makeCall } from './call.js';
import { endOfAsking, nothingAnswered, spentTooMuch, waitedTooLong } from './endings.js';
import { ModelCallError } from './model.js';
import type { Pacing } from './pacing.js';
import type { Reading } from './reading.js';
import { type CallTokens, mostTokens } from './worst-case.js';

/** How long calls in flight may still bring an answer after everything was told to stop. */
const GRACE_MS = 2_000;
/** Attempts that may wait for the consumer: a crash loses no more than these and those in flight. */
const OUTBOX_LIMIT = 256;

/** A sample on its way. */
interface Job {
  readonly sample: PlannedSample;
  /** Calls made so far, earlier ones included. */
  calls: number;
  /** Calls that failed and count against `maxAttempts`. */
  counted: number;
  /** All calls that failed. */
  failures: number;
  /** Whether the one retry of an unusable answer is used up. */
  isRetried: boolean;
  /** Not to be sent before. */
  dueMs: number;
}

/** The moving parts of one `ask`: what waits, what is in flight, and what the consumer has yet to take. */
export class Dispatch<Facts extends CallFacts> {
  private readonly options: SettledOptions;
  private readonly reading: Reading<Facts>;
  private readonly pacing: Pacing;
  private nextFresh = 0;
  private readonly waiting: Job[] = [];
  private readonly inFlight = new Set<AbortController>();
  private readonly outbox: (CallFrame & Facts)[] = [];
  private wakeConsumer: (() => void) | undefined;
  private timer: NodeJS.Timeout | undefined;
  private graceTimer: NodeJS.Timeout | undefined;
  private stopped: { readonly reason: unknown } | undefined;
  private hasAnswer = false;
  /** Whether any response came, were it an error: then the address is right. */
  private hasResponse = false;
  private lastFailure: ModelCallError | undefined;

  constructor(options: SettledOptions, reading: Reading<Facts>) {
    this.options = options;
    this.reading = reading;
    this.pacing = options.pacing;
  }

  start(): void {
    const { signal } = this.options;
    signal.addEventListener('abort', this.onAbort, { once: true });
    if (signal.aborted) this.onAbort();
    else this.pump();
  }

  /** The next attempt, as soon as there is one; undefined when there will be none. */
  async next(): Promise<(CallFrame & Facts) | undefined> {
    for (;;) {
      const attempt = this.outbox.shift();
      if (attempt !== undefined) {
        this.pump();
        return attempt;
      }
      if (this.inFlight.size === 0 && (this.stopped !== undefined || !this.hasWork())) return undefined;
      await new Promise<void>((resolve) => {
        this.wakeConsumer = resolve;
      });
    }
  }

  /** Throws what stopped the work, or what is to be said about work that brought nothing. */
  throwIfStopped(): void {
    if (this.stopped !== undefined) throw this.stopped.reason;
    if (!this.hasAnswer && this.lastFailure !== undefined) throw this.unavailable(this.lastFailure);
  }

  /** Ends every call and timer. */
  close(): void {
    this.stop(undefined, 0);
    this.options.signal.removeEventListener('abort', this.onAbort);
    clearTimeout(this.graceTimer);
    this.cutOff();
  }

  private readonly onAbort = (): void => this.stop(this.options.signal.reason, GRACE_MS);

  private stop(reason: unknown, graceMs: number): void {
    if (this.stopped !== undefined) return;
    this.stopped = { reason };
    clearTimeout(this.timer);
    if (graceMs === 0) this.cutOff();
    else if (this.inFlight.size > 0) this.graceTimer = setTimeout(() => this.cutOff(), graceMs);
    this.wake();
  }

  private cutOff(): void {
    for (const controller of this.inFlight) controller.abort();
  }

  private wake(): void {
    this.wakeConsumer?.();
    this.wakeConsumer = undefined;
  }

  private hasFresh(): boolean {
    // A provider in trouble is not sent new samples while a full set of old ones waits.
    const mayBeMore = this.pacing.isWell || this.waiting.length < this.pacing.concurrency;
    return mayBeMore && this.nextFresh < this.options.samples.length;
  }

  private hasWork(): boolean {
    return this.nextFresh < this.options.samples.length || this.waiting.length > 0;
  }

  /** Sends what may be sent now, and sets the timer for what may be sent later. */
  private pump(): void {
    clearTimeout(this.timer);
    if (this.stopped !== undefined) return;
    const nowMs = performance.now();
    while (this.inFlight.size < this.pacing.limit && this.outbox.length < OUTBOX_LIMIT) {
      const job = nowMs < this.pacing.notBeforeMs ? undefined : this.takeJob(nowMs);
      if (job === undefined) {
        this.pumpLater(nowMs);
        return;
      }
      const readyMs = this.pacing.readyMs(sumOf(this.mostOf(job)), nowMs);
      if (readyMs > nowMs) {
        this.waiting.unshift(job);
        this.pumpAt(readyMs, nowMs);
        return;
      }
      const { budget } = this.options;
      if (budget?.reserve(this.mostOf(job)) === false) {
        this.waiting.unshift(job);
        if (budget.hasReserved) budget.onceSettled(() => this.pump());
        else this.stop(spentTooMuch(budget, this.mostOf(job)), 0);
        return;
      }
      this.send(job).catch((error: unknown) => this.stop(error, 0));
    }
  }

  private pumpLater(nowMs: number): void {
    if (!this.hasWork()) return;
    const dueMs = this.hasFresh() ? nowMs : Math.min(...this.waiting.map((job) => job.dueMs));
    if (this.inFlight.size === 0) this.pacing.held(dueMs, nowMs);
    this.pumpAt(Math.max(dueMs, this.pacing.notBeforeMs), nowMs);
  }

  private pumpAt(dueMs: number, nowMs: number): void {
    this.timer = setTimeout(() => this.pump(), Math.ceil(Math.max(1, dueMs - nowMs)));
  }

  private mostOf({ sample }: Job): CallTokens {
    return mostTokens(sample, this.options.decoding);
  }

  private takeJob(nowMs: number): Job | undefined {
    const due = this.waiting.findIndex(({ dueMs }) => dueMs <= nowMs);
    if (due !== -1) return this.waiting.splice(due, 1)[0];
    const sample = this.hasFresh() ? this.options.samples[this.nextFresh] : undefined;
    if (sample === undefined) return undefined;
    this.nextFresh += 1;
    const { calls = 0, hasUnusable = false } = this.options.earlier.get(sample.sampleKey) ?? {};
    return { sample, calls, counted: 0, failures: 0, isRetried: hasUnusable, dueMs: nowMs };
  }

  private async send(job: Job): Promise<void> {
    job.calls += 1;
    const controller = new AbortController();
    this.inFlight.add(controller);
    const startedMs = performance.now();
    const most = this.mostOf(job);
    const share = this.pacing.sent(sumOf(most), startedMs);
    const result = await makeCall(this.options, this.reading, job.sample, job.calls, controller);
    this.inFlight.delete(controller);
    const used = usageOf(result);
    if (used !== null) this.pacing.used(share, sumOf(used));
    this.options.budget?.settle(most, used);
    if (result.attempt !== null) this.outbox.push(result.attempt);
    this.settle(job, result, startedMs);
    this.wake();
    this.pump();
  }

  private settle(job: Job, { attempt, thrown }: CallResult<Facts>, startedMs: number): void {
    if (attempt === null) return;
    if (thrown instanceof ModelCallError) this.settleFailure(job, thrown, startedMs);
    else if (thrown !== undefined) this.stop(thrown, 0);
    else this.settleAnswer(job, attempt);
  }

  private settleAnswer(job: Job, attempt: CallFacts): void {
    this.hasAnswer = true;
    this.hasResponse = true;
    this.pacing.answered(performance.now());
    if (!deservesRetry(attempt.status) || job.isRetried) return;
    job.isRetried = true;
    job.dueMs = performance.now();
    this.waiting.push(job);
  }

  private settleFailure(job: Job, error: ModelCallError, startedMs: number): void {
    this.lastFailure = error;
    this.hasResponse ||= error.status !== null;
    if (error.kind !== 'retryable') {
      // No other call can fare better: those in flight need not be waited for.
      this.stop(endOfAsking(error, this.options.model.identity), 0);
      return;
    }
    const nowMs = performance.now();
    const delayMs = this.pacing.failed({ error, startedMs, nowMs, earlierFailures: job.failures });
    if (delayMs === null) {
      this.stop(waitedTooLong(error, this.pacing.maxWaitMs), GRACE_MS);
      return;
    }
    job.failures += 1;
    if (error.status !== 429) job.counted += 1;
    if (job.counted < this.options.maxAttempts) {
      job.dueMs = nowMs + delayMs;
      this.waiting.push(job);
    } else if (!this.hasResponse) {
      this.stop(this.unavailable(error), 0);
    }
  }

  private unavailable(error: ModelCallError): HxError {
    return nothingAnswered(error, this.options.model.identity);
  }
}

function sumOf({ input, output }: CallTokens): number {
  return input + output;
}

/** What a call used; null when nobody knows: the provider may have worked on it, and may charge for it. */
function usageOf({ attempt, thrown }: CallResult<CallFacts>): CallTokens | null {
  if (attempt !== null && attempt.tokensIn !== null) {
    return { input: attempt.tokensIn, output: attempt.tokensOut ?? 0 };
  }
  const isDeclined = thrown instanceof ModelCallError && thrown.status !== null && thrown.status >= 400;
  return isDeclined ? { input: 0, output: 0 } : null;
}
