import * as t from 'typanion';
import { HxError, toHxError } from '../base/errors.js';
import { uuidv7 } from '../base/ids.js';
import { sleep } from '../base/time.js';
import type { CacheAnswer, Lease } from '../operational/cache.js';
import type { Database } from '../operational/connection.js';
import type { Bank } from '../rpl/bank.js';
import { bankName } from '../rpl/bank-diff.js';
import type { CheckRecord, RunRecord } from '../rpl/record.js';
import { completeRun } from '../rpl/run.js';
import { refuseOtherContent } from './banks.js';
import type { Context } from './context.js';
import { defineHandler } from './handler.js';
import { type Instrument, prepareInstrument, preparePurse } from './instrument.js';
import { collectMeasurement } from './measurement.js';
import { collectReadouts } from './readouts.js';
import { findReusable, NOTHING_TO_REUSE } from './reuse.js';
import { isRunId, measurementFields } from './validators.js';

/** One check, measured or answered from the cache, and stored in the environment's database either way. */
export const check = defineHandler({
  name: 'check',
  input: t.isObject({
    claim: t.isString(),
    no_cache: t.isOptional(t.isBoolean()),
    ...measurementFields,
  }),
  async run(input, context): Promise<CheckRecord> {
    const { environment } = context.settings;
    const instrument = await prepareInstrument(input, environment, context, await preparePurse(context));
    return checkWith({
      instrument,
      claim: input.claim,
      noCache: input.no_cache === true,
      requestId: null,
      context,
    });
  },
});

export interface CheckOptions {
  readonly instrument: Instrument;
  readonly claim: string;
  readonly noCache: boolean;
  /** The request that groups the checks of several models; null for a check on its own. */
  readonly requestId: string | null;
  readonly context: Context;
}

/** Checks a claim with a model that is ready. */
export async function checkWith(options: CheckOptions): Promise<CheckRecord> {
  const { instrument, context, requestId } = options;
  const plan = instrument.plan(options.claim, 0);
  const database = await context.lanes.database();
  if (instrument.isOwnBank) await refuseChangedBank(database, instrument.bank);
  const isAfresh = options.noCache;
  const work = { instrument, plan, database, context, requestId, isAfresh, createdAt: context.clock.now() };
  if (isAfresh) return measureAfresh(work);
  const answer = await waitForCache(work);
  if (answer.state === 'ready') return storeCached(work, answer.result);
  return measureUnderLease(work, answer.lease);
}

/** A bank that ships with hx is pinned by its release; looking through all checks is for a user's own. */
async function refuseChangedBank(database: Database, bank: Bank): Promise<void> {
  const { otherBankHash } = await import('../operational/checks.js');
  refuseOtherContent(bank, await otherBankHash(database, bankName(bank), bank.hash));
}

interface Work {
  readonly instrument: Instrument;
  readonly plan: ReturnType<Instrument['plan']>;
  readonly database: Database;
  readonly context: Context;
  readonly requestId: string | null;
  /** Whether to measure whatever the cache holds. */
  readonly isAfresh: boolean;
  readonly createdAt: Date;
}

/** Looks the result up; while another process computes it, waits for that instead of paying twice. */
async function waitForCache(work: Work): Promise<Exclude<CacheAnswer, { state: 'busy' }>> {
  const { askCache, POLL_LEASE_EVERY_MS } = await import('../operational/cache.js');
  const { database, context, plan } = work;
  const runId = uuidv7(work.createdAt);
  for (let waited = false; ; waited = true) {
    const answer = await askCache(database, plan.configHash, runId);
    if (answer.state !== 'busy') return answer;
    if (!waited) {
      context.emit({
        type: 'note',
        message: 'The same check is running elsewhere; waiting for its result (--no-cache does not wait).',
      });
    }
    await sleep(POLL_LEASE_EVERY_MS, context.signal);
  }
}

/**
 * Measures whatever the cache holds. Its lease has a key of its own, so that an interrupted measurement is carried on;
 * one that another process is at work on is left to it, and a further one begun.
 */
async function measureAfresh(work: Work): Promise<CheckRecord> {
  const { askCache } = await import('../operational/cache.js');
  const runId = uuidv7(work.createdAt);
  for (let place = 0; ; place += 1) {
    const answer = await askCache(work.database, `${work.plan.configHash}/afresh/${place}`, runId);
    if (answer.state === 'mine') return measureUnderLease(work, answer.lease);
  }
}

async function measureUnderLease(work: Work, lease: Lease): Promise<CheckRecord> {
  const { dropLease, releaseLease, renewLease, RENEW_LEASE_EVERY_MS } = await import(
    '../operational/cache.js'
  );
  // A failed renewal costs nothing by itself: completing the lease finds out whether it still holds.
  const renewal = setInterval(
    () => void renewLease(work.database, lease).catch(() => {}),
    RENEW_LEASE_EVERY_MS,
  );
  try {
    return await measure(work, lease);
  } catch (error) {
    // Too few answers stay too few, however often they are read: measuring afresh has to begin anew.
    if (work.isAfresh && toHxError(error).code === 'insufficient_samples') {
      await work.database.write((sql) => dropLease(sql, lease)).catch(() => {});
    }
    // The error that matters is the one in hand; a lease that cannot be given back simply expires.
    await releaseLease(work.database, lease).catch(() => {});
    throw error;
  } finally {
    clearInterval(renewal);
  }
}

async function measure(work: Work, lease: Lease): Promise<CheckRecord> {
  const { insertAttempts, insertCheck, readAttempts } = await import('../operational/checks.js');
  const { insertReadouts, readReadouts } = await import('../operational/readouts.js');
  const { completeLease, dropLease } = await import('../operational/cache.js');
  const { database, context, instrument, createdAt } = work;
  const { runId } = lease;
  const startedMs = context.clock.monotonicMs();
  const stored = await readAttempts(database, runId);
  const storedReadouts = await readReadouts(database, runId);
  const own = { attempts: stored, readouts: storedReadouts };
  const reused = work.isAfresh ? NOTHING_TO_REUSE : await findReusable(database, work.plan, own);
  const { plan, attempts } = await collectMeasurement({
    instrument,
    plan: work.plan,
    stored: () => [...stored, ...reused.attempts],
    context,
    commit: (batch) =>
      insertAttempts(
        database,
        runId,
        batch.map((attempt) => ({ attemptId: uuidv7(context.clock.now()), attempt })),
      ),
  });
  const readouts = await collectReadouts({
    instrument,
    plan,
    attempts,
    stored: async () => [...storedReadouts, ...reused.readouts],
    context,
    commit: (batch) =>
      insertReadouts(
        database,
        runId,
        batch.map((readout) => ({ readoutId: uuidv7(context.clock.now()), readout })),
      ),
  });
  const run = completeRun({
    runId,
    createdAt,
    elapsedMs: context.clock.monotonicMs() - startedMs,
    plan,
    ownAttempts: [...stored, ...attempts],
    reusedAttempts: reused.attempts,
    ownReadouts: [...storedReadouts, ...readouts],
    reusedReadouts: reused.readouts,
    sources: reused.sources,
    price: instrument.price,
  });
  const record: CheckRecord = { ...run, was_cached: false, cached_from: null };
  await database.write(async (sql) => {
    if (work.isAfresh) await dropLease(sql, lease);
    else await completeLease(sql, lease, run);
    await insertCheck(sql, record, { cacheKey: plan.configHash, requestId: work.requestId });
  });
  return record;
}

/** A check answered from the cache is a row of its own: it says so, and counts no calls a second time. */
async function storeCached(work: Work, result: RunRecord): Promise<CheckRecord> {
  const { insertCheck } = await import('../operational/checks.js');
  const record: CheckRecord = {
    ...result,
    run_id: uuidv7(work.createdAt),
    created_at: work.createdAt,
    calls_made: 0,
    tokens_in: null,
    tokens_out: null,
    cost_usd: '0.000000',
    elapsed_ms: 0,
    was_cached: true,
    cached_from: result.run_id,
  };
  await work.database.write((sql) =>
    insertCheck(sql, record, { cacheKey: work.plan.configHash, requestId: work.requestId }),
  );
  return record;
}

/** One stored check of the environment. */
export const checkGet = defineHandler({
  name: 'check',
  input: t.isObject({ run_id: isRunId }),
  async run({ run_id }, context): Promise<CheckRecord> {
    const { findCheck } = await import('../operational/checks.js');
    const found = await findCheck(await context.lanes.database(), run_id);
    if (found === undefined) {
      throw new HxError('not_found', `There is no check ${run_id} in ${context.settings.environment}.`, {
        hint: 'Use the run_id that POST /v1/checks or hx check --json gave.',
      });
    }
    return found;
  },
});
