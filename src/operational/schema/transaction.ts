import type { Sql, TransactionSql } from 'postgres';
import type { Environment } from '../../base/environments.js';
import { HxError, messageOf } from '../../base/errors.js';
import { answerOf } from '../cancel.js';
import { actAsOwner, type RoleScope } from '../roles.js';
import type { Queryable } from '../session.js';

/**
 * Declares what a migration runs under, for one transaction or until forgetMigration: its environment, as the guards
 * want it, how long it waits for a table, and the role that owns the schema.
 * @throws HxError `refused` when the login may not act as that role.
 */
export async function declareMigration(
  sql: Queryable,
  environment: Environment,
  lockTimeoutMs: number,
  scope: RoleScope,
): Promise<void> {
  const local = scope === 'transaction';
  await sql`
    select set_config('hx.env', ${environment}, ${local}),
      set_config('lock_timeout', ${String(lockTimeoutMs)}, ${local})`;
  await actAsOwner(sql, scope);
}

/** Ends what declareMigration began for a session, and whatever else the migration set in it. */
export async function forgetMigration(sql: Sql): Promise<void> {
  await sql.unsafe('reset role; reset all');
}

/**
 * Runs the text of a migration and cancels it on the server when the user gives up.
 * @throws the signal's reason then.
 */
export async function runText(sql: Queryable, text: string, signal: AbortSignal): Promise<void> {
  await answerOf(sql.unsafe(text), signal);
}

/** The number of the transaction that is under way, and of no other ever. */
export async function currentTransaction(sql: TransactionSql): Promise<string> {
  const [row] = await sql<{ xid: string }[]>`select pg_current_xact_id()::text as xid`;
  return row?.xid ?? '';
}

/** Whether a transaction, which an error came out of, was committed all the same. False when nobody can tell. */
export async function wasCommitted(sql: Sql, xid: string): Promise<boolean> {
  if (xid === '') return false;
  try {
    const [row] = await sql`select pg_xact_status(${xid}::text::xid8) = 'committed' as committed`;
    return row?.['committed'] === true;
  } catch {
    // The connection is gone, which is what the error in hand says.
    return false;
  }
}

/** The error for a migration that ended the transaction it ran in, so that a part of it may have stayed. */
export function leftTransaction(name: string, cause?: unknown): HxError {
  const after = cause === undefined ? '' : ` Then it failed: ${messageOf(cause)}`;
  return new HxError('failed', `${name} ended its own transaction.${after}`, {
    cause,
    hint:
      'What it did before and after that point may have stayed, but it does not count as applied. ' +
      'Undo that part by hand, take the transaction control out of the file and run hx migrate again.',
  });
}
