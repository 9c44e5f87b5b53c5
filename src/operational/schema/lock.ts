import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { Sql } from 'postgres';
import { HxError } from '../../base/errors.js';
import type { EmitProgress } from '../../base/events.js';
import { packagePath } from '../../base/paths.js';
import { sleep } from '../../base/time.js';

/** Two numbers that only hx uses for its advisory lock ("hx" and "mg" in ASCII); one lock a database. */
const LOCK_CLASS = 0x6878;
const LOCK_OBJECT = 0x6d67;
const POLL_EVERY_MS = 150;
export const LOCK_TIMEOUT_MS = 60_000;

export function migratorName(): string {
  return `hx migrate (${hostname()}, process ${process.pid})`;
}

/**
 * Takes the migration lock of a session by asking again and again: a waiting statement would hold a snapshot,
 * which CREATE INDEX CONCURRENTLY elsewhere waits for.
 * @returns the backend that holds it.
 * @throws HxError `unavailable` naming the holder, after `timeoutMs`.
 */
export async function takeLock(
  sql: Sql,
  timeoutMs: number,
  signal: AbortSignal,
  emit: EmitProgress,
): Promise<number> {
  const deadlineMs = performance.now() + timeoutMs;
  for (let waited = false; ; waited = true) {
    const [row] = await sql<{ taken: boolean; backend: number }[]>`
      select pg_try_advisory_lock(${LOCK_CLASS}, ${LOCK_OBJECT}) as taken, pg_backend_pid() as backend`;
    if (row?.taken === true) return row.backend;
    const holder = await describeHolder(sql);
    if (performance.now() > deadlineMs) {
      throw new HxError('unavailable', `Another migration holds the lock: ${holder}.`, {
        hint: 'Wait for it to end, then run hx migrate again.',
      });
    }
    if (!waited) emit({ type: 'note', message: `Waiting for another migration: ${holder}.` });
    await sleep(POLL_EVERY_MS * (0.5 + Math.random()), signal);
  }
}

async function describeHolder(sql: Sql): Promise<string> {
  const query = await readFile(packagePath('sql', 'postgres', 'lock_holders.sql'), 'utf8');
  const [holder] = await sql.unsafe<
    { pid: number; application_name: string; client: string | null; since: string }[]
  >(query, [LOCK_CLASS, LOCK_OBJECT]);
  if (holder === undefined) return 'it has just ended';
  const from = holder.client === null ? '' : ` from ${holder.client}`;
  return `${holder.application_name}${from}, backend ${holder.pid}, connected ${holder.since}`;
}

/**
 * Makes sure that the session is still the one that took the lock. A reconnect would have lost it unnoticed.
 * @throws HxError `unavailable`.
 */
export async function checkLockHeld(sql: Pick<Sql, 'unsafe'>, backend: number): Promise<void> {
  const [row] = await sql.unsafe<{ backend: number }[]>('select pg_backend_pid() as backend');
  if (row?.backend === backend) return;
  throw new HxError('unavailable', 'The connection was lost, and the migration lock with it.', {
    hint: 'Run hx migrate again; what was applied stays applied.',
  });
}
