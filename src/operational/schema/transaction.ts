import type { Sql, TransactionSql } from 'postgres';
import { HxError, messageOf } from '../../base/errors.js';

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
