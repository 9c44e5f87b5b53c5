import { readFile } from 'node:fs/promises';
import type { JSONValue, TransactionSql } from 'postgres';
import { HxError } from '../base/errors.js';
import { packagePath } from '../base/paths.js';
import { rowFromJson, rowToJson } from '../rpl/column.js';
import { RUN_COLUMNS, type RunRecord } from '../rpl/record.js';
import type { Database } from './connection.js';

/** How long a stored result answers identical checks: models behind a name change without notice. */
export const RESULT_LIFETIME = '7 days';
/** How long a computation may be silent before another may take it over: the wait after a holder was killed. */
const LEASE_LIFETIME = '15 seconds';
/** How long after its start an interrupted computation is carried on instead of begun again. */
const RESUME_WITHIN = '24 hours';

/** How often a holder renews its lease: three times within the lease's lifetime. */
export const RENEW_LEASE_EVERY_MS = 5_000;
/** How often those who wait for another's computation look again. */
export const POLL_LEASE_EVERY_MS = 250;

/** What the cache says about a key. */
export type CacheAnswer =
  /** Computed before; the row of the run that computed it. */
  | { readonly state: 'ready'; readonly result: RunRecord }
  /** The caller is to compute it, under this run id. */
  | { readonly state: 'mine'; readonly lease: Lease }
  /** Somebody is computing it. */
  | { readonly state: 'busy' };

/** The right to compute a key's result. A later generation ends an earlier one's right. */
export interface Lease {
  readonly cacheKey: string;
  readonly runId: string;
  readonly generation: number;
}

/** Looks a result up, and takes the lease on computing it when there is none and nobody holds it. */
export async function askCache(database: Database, cacheKey: string, runId: string): Promise<CacheAnswer> {
  const takeLease = await readFile(packagePath('sql', 'postgres', 'take_cache_lease.sql'), 'utf8');
  return database.write(async (sql) => {
    const [ready] = await sql<{ result: Record<string, unknown> }[]>`
      select result from result_cache where cache_key = ${cacheKey} and state = 'ready' and expires_at > now()`;
    if (ready !== undefined) return { state: 'ready', result: rowFromJson(RUN_COLUMNS, ready.result) };
    const [lease] = await sql.unsafe<{ run_id: string; generation: number }[]>(takeLease, [
      cacheKey,
      database.environment,
      runId,
      LEASE_LIFETIME,
      RESULT_LIFETIME,
      RESUME_WITHIN,
    ]);
    if (lease === undefined) return { state: 'busy' };
    return { state: 'mine', lease: { cacheKey, runId: lease.run_id, generation: lease.generation } };
  });
}

/** Keeps a lease alive while its computation goes on. */
export async function renewLease(database: Database, { cacheKey, runId, generation }: Lease): Promise<void> {
  await database.write(
    (sql) => sql`
      update result_cache set lease_expires_at = now() + ${LEASE_LIFETIME}::interval
      where cache_key = ${cacheKey} and run_id = ${runId} and generation = ${generation} and state = 'pending'`,
  );
}

/** Gives a lease back without a result, so that the next identical check carries on at once. */
export async function releaseLease(
  database: Database,
  { cacheKey, runId, generation }: Lease,
): Promise<void> {
  await database.write(
    (sql) => sql`
      update result_cache set lease_expires_at = now()
      where cache_key = ${cacheKey} and run_id = ${runId} and generation = ${generation} and state = 'pending'`,
  );
}

/**
 * Stores the result under a lease, in the caller's transaction.
 * @throws HxError `conflict` when the lease was taken over meanwhile.
 */
export async function completeLease(sql: TransactionSql, lease: Lease, result: RunRecord): Promise<void> {
  const stored = await sql`
    update result_cache set
      state = 'ready',
      result = ${sql.json(rowToJson(RUN_COLUMNS, result) as JSONValue)},
      lease_expires_at = null,
      expires_at = now() + ${RESULT_LIFETIME}::interval
    where cache_key = ${lease.cacheKey} and generation = ${lease.generation} and state = 'pending'`;
  if (stored.count === 0) throw takenOver();
}

/**
 * Ends a lease in the caller's transaction without keeping a result: the next one begins a computation of its own.
 * @throws HxError `conflict` when the lease was taken over meanwhile.
 */
export async function dropLease(sql: TransactionSql, { cacheKey, runId, generation }: Lease): Promise<void> {
  const dropped = await sql`
    delete from result_cache
    where cache_key = ${cacheKey} and run_id = ${runId} and generation = ${generation} and state = 'pending'`;
  if (dropped.count === 0) throw takenOver();
}

function takenOver(): HxError {
  return new HxError('conflict', 'Another process took this check over while this one was silent.', {
    hint: 'Run the same command again: it answers with the result of the other.',
  });
}
