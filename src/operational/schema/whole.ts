import { HxError } from '../../base/errors.js';
import { createIdentity, readIdentity } from '../identity.js';
import type { Migration } from './files.js';
import { readFingerprint } from './fingerprint/read.js';
import { type LedgerEntry, recordApplied, recordEvent } from './ledger.js';
import { checkLockHeld } from './lock.js';
import { checkAfter } from './promotion.js';
import { entryFor, type Run, TABLE_LOCK_TIMEOUT_MS } from './run.js';
import {
  currentTransaction,
  declareMigration,
  leftTransaction,
  runText,
  wasCommitted,
} from './transaction.js';

/**
 * Applies a migration in one transaction, with its ledger row in it.
 * @throws HxError `failed` when the file ended that transaction, and what Postgres throws.
 */
export async function applyWhole(run: Run, migration: Migration): Promise<LedgerEntry> {
  const { sql, target, backend, signal } = run.migrator;
  const { number, name, lockTimeoutMs = TABLE_LOCK_TIMEOUT_MS } = migration;
  const startedMs = performance.now();
  let entry: LedgerEntry | undefined;
  let began = '';
  try {
    await sql.begin(async (transaction) => {
      await checkLockHeld(transaction, backend);
      await declareMigration(transaction, target.environment, lockTimeoutMs, 'transaction');
      began = await currentTransaction(transaction);
      await runText(transaction, migration.sql, signal);
      if ((await currentTransaction(transaction)) !== began) throw leftTransaction(name);
      // The migrator saw to it, under the lock, that a missing identity can only mean the first migration.
      if (typeof (await readIdentity(transaction)) !== 'object') {
        await createIdentity(transaction, target.environment);
      }
      const elapsedMs = performance.now() - startedMs;
      const after = await readFingerprint(transaction, run.seen);
      checkAfter(run.proof, migration, after);
      entry = entryFor(run, migration, after, elapsedMs);
      await recordApplied(transaction, entry);
      await recordEvent(transaction, 'applied', number, name);
      // A commit that is ours says nothing about the file, even when its answer is lost.
      began = '';
    });
  } catch (error) {
    if (error instanceof HxError || !(await wasCommitted(sql, began))) throw error;
    throw leftTransaction(name, error);
  }
  if (entry === undefined) throw new HxError('bug', `${name} was committed without a ledger entry.`);
  run.fingerprint = entry.fingerprintAfter;
  return entry;
}
