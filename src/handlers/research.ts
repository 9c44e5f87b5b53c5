import { HxError, toHxError } from '../base/errors.js';
import { uuidv7 } from '../base/ids.js';
import { sleep } from '../base/time.js';
import type { StoredReadout } from '../research/readouts.js';
import { type Execution, type ResearchStore, type StoredAttempt, TOUCH_EVERY_MS } from '../research/store.js';
import type { MeasurementPlan } from '../rpl/plan.js';
import { decidingReadouts, isSettled } from '../rpl/readout.js';
import { planReadouts } from '../rpl/readout-plan.js';
import type { RunRecord } from '../rpl/record.js';
import { completeRun } from '../rpl/run.js';
import { isUsable } from '../rpl/sample.js';
import type { Context } from './context.js';
import type { Instrument } from './instrument.js';
import { collectMeasurement } from './measurement.js';
import { collectReadouts } from './readouts.js';

/** How often one who waits for another's run looks again. */
const POLL_EVERY_MS = 250;

/**
 * Measures one claim with a model that is ready, into SQLite: carries on an interrupted run, and takes a finished one
 * as it is.
 * @param again whether to measure a finished one anew.
 */
export async function measureForResearch(
  claim: string,
  again: boolean,
  instrument: Instrument,
  store: ResearchStore,
  context: Context,
): Promise<{ run: RunRecord; reused: boolean }> {
  const base = instrument.plan(claim, 0);
  const latest = store.latestRepeat(base.configHash);
  // Measuring again means a new repetition, unless the latest one was interrupted and is to be carried on.
  const repeat = latest === undefined ? 0 : latest.repeat + (again && latest.finished ? 1 : 0);
  const plan = repeat === 0 ? base : instrument.plan(claim, repeat);
  const startedAt = context.clock.now();
  const execution = store.beginExecution({
    executionId: uuidv7(startedAt),
    newRunId: uuidv7(startedAt),
    configHash: plan.configHash,
    baseHash: base.configHash,
    repeat,
    startedAt,
  });
  const heartbeat = setInterval(() => touch(execution, store, context), TOUCH_EVERY_MS);
  try {
    await waitForOther(execution, store, context);
    const finished = store.findRun(execution.runId);
    if (finished !== undefined) {
      store.endExecution(execution, 'reused', context.clock.now());
      return { run: finished, reused: true };
    }
    return { run: await runExecution(execution, plan, startedAt, instrument, store, context), reused: false };
  } catch (error) {
    const { code } = toHxError(error);
    const outcome = code === 'interrupted' || code === 'stopped' ? 'interrupted' : 'failed';
    store.endExecution(execution, outcome, context.clock.now());
    throw error;
  } finally {
    clearInterval(heartbeat);
  }
}

/** A disk that refuses this refuses the next answers too, whose error reaches the caller; one of a timer ends the process. */
function touch(execution: Execution, store: ResearchStore, context: Context): void {
  try {
    store.touchExecution(execution, context.clock.now());
  } catch (error) {
    if (!(error instanceof HxError)) throw error;
  }
}

/** Two who measure the same at once would pay twice: the later one waits, and then asks for what is missing. */
async function waitForOther(execution: Execution, store: ResearchStore, context: Context): Promise<void> {
  for (let waited = false; store.isRunningElsewhere(execution, context.clock.now()); waited = true) {
    if (!waited) {
      context.emit({ type: 'note', message: 'The same run is being measured elsewhere; waiting for it.' });
    }
    await sleep(POLL_EVERY_MS, context.signal);
  }
}

async function runExecution(
  execution: Execution,
  first: MeasurementPlan,
  createdAt: Date,
  instrument: Instrument,
  store: ResearchStore,
  context: Context,
): Promise<RunRecord> {
  const stored = ({ samples }: MeasurementPlan) =>
    answering(store.attemptsFor(samples.map(({ sampleKey }) => sampleKey)), execution.runId);
  const startedMs = context.clock.monotonicMs();
  const { plan, attempts } = await collectMeasurement({
    instrument,
    plan: first,
    stored: (stage) => stored(stage).map(({ attempt }) => attempt),
    context,
    commit: async (attempts) => store.appendAttempts(execution, attempts),
  });
  const used = stored(plan);
  const storedReadouts = (keys: readonly string[]) =>
    answeringReadouts(store.readouts.stored(keys), execution.runId);
  await collectReadouts({
    instrument,
    plan,
    attempts,
    stored: async (keys) => storedReadouts(keys).map(({ readout }) => readout),
    context,
    commit: async (readouts) => store.readouts.append(execution, readouts),
  });
  const usedReadouts = storedReadouts(planReadouts(plan).map(({ sampleKey }) => sampleKey));
  const isOwn = ({ runId }: { readonly runId: string }) => runId === execution.runId;
  const run = completeRun({
    runId: execution.runId,
    createdAt,
    elapsedMs: context.clock.monotonicMs() - startedMs,
    plan,
    ownAttempts: used.filter(isOwn).map(({ attempt }) => attempt),
    reusedAttempts: used.filter((one) => !isOwn(one)).map(({ attempt }) => attempt),
    ownReadouts: usedReadouts.filter(isOwn).map(({ readout }) => readout),
    reusedReadouts: usedReadouts.filter((one) => !isOwn(one)).map(({ readout }) => readout),
    price: instrument.price,
  });
  return store.finishRun(execution, run, deciding(used), decidingStored(usedReadouts), context.clock.now());
}

/**
 * The attempts that a run rests on: its own, and for a sample that its own have not answered those of the first run
 * that has an answer: with its failed ones, so that a sample which took two tries still counts as such.
 */
function answering(stored: readonly StoredAttempt[], runId: string): StoredAttempt[] {
  const answerers = new Map<string, string>();
  for (const maker of [runId, undefined]) {
    for (const { runId: by, attempt } of stored) {
      if (maker !== undefined && by !== maker) continue;
      if (isUsable(attempt.status) && !answerers.has(attempt.sampleKey)) answerers.set(attempt.sampleKey, by);
    }
  }
  return stored.filter(({ runId: by, attempt }) => by === runId || by === answerers.get(attempt.sampleKey));
}

/** The attempt that decides each sample: its first usable one, else its last. */
function deciding(stored: readonly StoredAttempt[]): StoredAttempt[] {
  const bySample = new Map<string, StoredAttempt>();
  for (const candidate of stored) {
    const current = bySample.get(candidate.attempt.sampleKey);
    if (current === undefined || !isUsable(current.attempt.status)) {
      bySample.set(candidate.attempt.sampleKey, candidate);
    }
  }
  return [...bySample.values()];
}

/** The readouts that a run rests on: its own, and where those are missing or failed the first settled one of another. */
function answeringReadouts(stored: readonly StoredReadout[], runId: string): StoredReadout[] {
  const own = stored.filter((one) => one.runId === runId);
  const answered = new Set(
    own.filter(({ readout }) => isSettled(readout)).map(({ readout }) => readout.sampleKey),
  );
  const others = stored.filter(({ runId: by, readout }) => {
    if (by === runId || !isSettled(readout) || answered.has(readout.sampleKey)) return false;
    answered.add(readout.sampleKey);
    return true;
  });
  return [...others, ...own];
}

function decidingStored(stored: readonly StoredReadout[]): StoredReadout[] {
  const chosen = new Set(decidingReadouts(stored.map(({ readout }) => readout)));
  return stored.filter(({ readout }) => chosen.has(readout));
}
