import { toHxError } from '../base/errors.js';
import type { EarlierCalls } from '../models/ask-options.js';
import { type GrowthLimit, growPlan, growthLimit } from '../rpl/growth.js';
import { readOutcome } from '../rpl/outcome.js';
import type { MeasurementPlan } from '../rpl/plan.js';
import { costOfAttempt, FREE, type Price } from '../rpl/price.js';
import { type Attempt, deservesRetry, isUsable, type PlannedSample } from '../rpl/sample.js';
import { ServingWatch } from '../rpl/serving.js';
import type { Context } from './context.js';
import type { Instrument } from './instrument.js';
import { Journal } from './journal.js';
import { withWhatIsKept } from './kept.js';

export interface CollectOptions {
  readonly instrument: Instrument;
  readonly plan: MeasurementPlan;
  /** Attempts that are stored already and may answer samples. */
  readonly stored: readonly Attempt[];
  /** Commits attempts; resolves when they are safe. */
  readonly commit: (attempts: readonly Attempt[]) => Promise<void>;
  readonly context: Context;
}

/**
 * Asks for what is missing and commits every attempt as it arrives; attempts that arrive while a commit is
 * under way go into the next one together.
 * @returns the new attempts, all committed.
 * @throws HxError `interrupted` or `stopped` with what was kept; whatever the model or the store throws.
 */
export async function collectAttempts(options: CollectOptions): Promise<Attempt[]> {
  const { instrument, plan, stored, context } = options;
  const missing = missingSamples(plan, stored);
  if (missing.length === 0) return [];
  const { ask } = await import('../models/ask.js');
  const journal = new Journal(options.commit);
  const progress = new CallProgress(plan, stored, instrument.price, context);
  const attempts: Attempt[] = [];
  try {
    const asked = ask({
      model: instrument.model,
      samples: missing,
      decoding: plan.options.decoding,
      pacing: instrument.pacing,
      budget: instrument.budget,
      signal: context.signal,
      clock: context.clock,
      earlier: earlierCalls(stored),
    });
    for await (const attempt of asked) {
      attempts.push(attempt);
      journal.add(attempt);
      progress.add(attempt);
    }
  } catch (thrown) {
    await journal.flushed();
    const [kept, planned] = [countUsable([...stored, ...attempts]), plan.samples.length];
    throw withWhatIsKept(toHxError(thrown), `${kept} of ${planned} answers are stored.`, {
      answers_stored: kept,
      answers_planned: planned,
    });
  }
  await journal.flushed();
  return attempts;
}

export interface MeasureOptions extends Omit<CollectOptions, 'stored'> {
  /** Attempts that are stored already and may answer the samples of a plan. */
  readonly stored: (plan: MeasurementPlan) => readonly Attempt[];
}

/**
 * Collects a whole measurement: the plan's samples and, for one that grows to a wanted width, the second stage
 * that their answers call for.
 * @returns the plan as it was carried out, and the new attempts, all committed.
 * @throws what collectAttempts throws.
 */
export async function collectMeasurement(
  options: MeasureOptions,
): Promise<{ plan: MeasurementPlan; attempts: Attempt[] }> {
  const { plan: first, context } = options;
  const stored = ofPlan(first, options.stored(first));
  const attempts = await collectAttempts({ ...options, stored });
  if (first.growth === null) return { plan: first, attempts };
  const plan = growPlan(first, readOutcome(first, [...stored, ...attempts]).usable);
  const limit = growthLimit(plan);
  if (limit !== null) context.emit({ type: 'note', message: limitText(plan, limit) });
  const second = { ...plan, samples: plan.samples.slice(first.samples.length) };
  const more = await collectAttempts({
    ...options,
    plan: second,
    stored: ofPlan(second, options.stored(second)),
  });
  return { plan, attempts: [...attempts, ...more] };
}

/** The attempts for samples of a plan: a run that carries on may have some of a later stage stored. */
function ofPlan({ samples }: MeasurementPlan, attempts: readonly Attempt[]): Attempt[] {
  const keys = new Set(samples.map(({ sampleKey }) => sampleKey));
  return attempts.filter(({ sampleKey }) => keys.has(sampleKey));
}

function limitText({ growth, templates, samples }: MeasurementPlan, limit: GrowthLimit): string {
  const needed = growth?.neededTemplates ?? templates;
  const cause = limit === 'bank' ? 'the bank has no more' : `--max-calls allows ${growth?.maxCalls}`;
  return `A width of ${growth?.width} calls for ${needed} templates; ${cause}, so ${templates} are asked (${samples.length} samples).`;
}

/** Samples without a final answer: never asked, failed in transport, or with their retry still open. */
function missingSamples(plan: MeasurementPlan, stored: readonly Attempt[]): PlannedSample[] {
  return plan.samples.filter(({ sampleKey }) => {
    const answers = stored.filter(
      (attempt) => attempt.sampleKey === sampleKey && attempt.status !== 'failed',
    );
    const settled = answers.some(({ status }) => isUsable(status) || status === 'refused');
    return !settled && answers.filter(({ status }) => deservesRetry(status)).length < 2;
  });
}

/** What was asked for each sample so far. */
function earlierCalls(stored: readonly Attempt[]): Map<string, EarlierCalls> {
  const earlier = new Map<string, EarlierCalls>();
  for (const { sampleKey, ordinal, status } of stored) {
    const { calls = 0, hasUnusable = false } = earlier.get(sampleKey) ?? {};
    earlier.set(sampleKey, {
      calls: Math.max(ordinal, calls),
      hasUnusable: hasUnusable || deservesRetry(status),
    });
  }
  return earlier;
}

/** How many samples have a usable answer. */
function countUsable(attempts: readonly Attempt[]): number {
  return new Set(attempts.filter(({ status }) => isUsable(status)).map(({ sampleKey }) => sampleKey)).size;
}

/** Counts attempts and tells the door about them. */
class CallProgress {
  private readonly plan: MeasurementPlan;
  private readonly context: Context;
  private readonly startedMs: number;
  private readonly serving = new ServingWatch();
  private readonly usable = new Set<string>();
  private readonly ended = new Set<string>();
  private readonly price: Price | null;
  private calls = 0;
  private costUsd = 0;

  constructor(plan: MeasurementPlan, stored: readonly Attempt[], price: Price | null, context: Context) {
    this.plan = plan;
    this.price = price;
    this.context = context;
    this.startedMs = context.clock.monotonicMs();
    for (const attempt of stored) {
      this.serving.see(attempt);
      this.count(attempt);
    }
  }

  add(attempt: Attempt): void {
    this.calls += 1;
    if (this.price !== null) this.costUsd += costOfAttempt(attempt, this.price) ?? 0;
    this.count(attempt);
    const change = this.serving.see(attempt);
    if (change !== null) this.context.emit({ type: 'note', message: change });
    this.context.emit({
      type: 'calls',
      claim: this.plan.claim,
      model: this.plan.identity.model,
      done: this.ended.size,
      total: this.plan.samples.length,
      usable: this.usable.size,
      calls: this.calls,
      retried: Math.max(0, this.calls - this.ended.size),
      costUsd: this.price === null || this.price === FREE ? null : this.costUsd,
      elapsedMs: this.context.clock.monotonicMs() - this.startedMs,
    });
  }

  private count({ sampleKey, status }: Attempt): void {
    if (isUsable(status)) this.usable.add(sampleKey);
    if (isUsable(status) || status === 'refused') this.ended.add(sampleKey);
  }
}
