import { HxError } from '../../base/errors.js';
import { withDirectSession } from '../connect.js';
import { applyMigrations } from './apply.js';
import { diffFingerprints } from './fingerprint/diff.js';
import { type Fingerprint, readFingerprint } from './fingerprint/read.js';
import { type AppliedMigration, readLedger, recordApplied, recordEvent } from './ledger.js';
import { type MigrateOptions, type Migrator, withMigrator } from './migrator.js';
import { describeDifferences } from './mismatch.js';
import { readPlan } from './plan.js';
import { TABLE_LOCK_TIMEOUT_MS } from './run.js';
import { withScratchDatabase } from './scratch.js';
import { declareMigration } from './transaction.js';

export interface BaselineOptions extends MigrateOptions {
  /** Number of the last migration whose schema the database has. */
  readonly to: number;
}

/**
 * Writes the ledger of a database that has the schema of the migrations and no, or only some, rows about them. Runs
 * none of them: what they would have left is replayed in a scratch database, and the schema has to be the same.
 * @returns the names of the migrations that were written down.
 * @throws HxError `refused` naming the objects that differ, `conflict` for a ledger that contradicts the files, and
 * what withScratchDatabase throws.
 */
export function baselineMigrations(options: BaselineOptions): Promise<string[]> {
  return withMigrator(options, async (migrator) => {
    const { applied, begun } = await readPlan(migrator.sql, options);
    const last = applied.at(-1);
    if (begun.length > 0 || (last !== undefined && last.number > options.to)) {
      const what = begun.length > 0 ? 'A migration was begun and has not ended' : `${last?.name} was applied`;
      throw new HxError('conflict', `${what}, so the schema cannot be that of migration ${options.to}.`, {
        hint: 'hx migrate status shows what the database remembers.',
      });
    }
    const replayed = await replay(options);
    requireSame(replayed.fingerprint, await readFingerprint(migrator.sql), migrator, options.to);
    return write(migrator, replayed.ledger, applied);
  });
}

interface Replayed {
  readonly ledger: readonly AppliedMigration[];
  readonly fingerprint: Fingerprint;
}

function replay({ folder, to, ...options }: BaselineOptions): Promise<Replayed> {
  return withScratchDatabase(options, async (settings) => {
    const scratch = { ...options, settings, emit: () => undefined };
    await applyMigrations({
      ...scratch,
      to,
      confirm: undefined,
      ...(folder === undefined ? {} : { folder }),
    });
    return withDirectSession(scratch, { applicationName: 'hx migrate baseline' }, async (sql) => ({
      ledger: await readLedger(sql),
      fingerprint: await readFingerprint(sql),
    }));
  });
}

function requireSame(expected: Fingerprint, found: Fingerprint, { target }: Migrator, to: number): void {
  if (expected.hash === found.hash) return;
  const { environment } = target;
  const differences = diffFingerprints(expected, found);
  throw new HxError(
    'refused',
    `The ${environment} database does not have the schema of migration ${to}: ${describeDifferences(differences)}`,
    {
      hint: `hx migrate diff --env ${environment} --against files shows all; nothing was written.`,
      facts: { differences },
    },
  );
}

async function write(
  { sql, target }: Migrator,
  replayed: readonly AppliedMigration[],
  applied: readonly AppliedMigration[],
): Promise<string[]> {
  const known = new Set(applied.map(({ number }) => number));
  const missing = replayed.filter(({ number }) => !known.has(number));
  await sql.begin(async (transaction) => {
    await declareMigration(transaction, target.environment, TABLE_LOCK_TIMEOUT_MS, 'transaction');
    for (const entry of missing) {
      await recordApplied(transaction, { ...entry, elapsedMs: 0 });
      await recordEvent(transaction, 'baselined', entry.number, entry.name);
    }
  });
  return missing.map(({ name }) => name);
}
