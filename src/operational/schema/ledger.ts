import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { TransactionSql } from 'postgres';
import { packagePath } from '../../base/paths.js';
import type { Queryable } from '../session.js';
import { migrationNames, migrationsFolder, numberOf } from './files.js';
import type { MigrationMode } from './header.js';

/** What the ledger keeps of a migration. Null is what it had no room for when the migration was applied. */
export interface LedgerEntry {
  readonly number: number;
  readonly name: string;
  /** SHA-256 of the file, hex. */
  readonly hash: string;
  /** Of the statements alone. */
  readonly semanticHash: string | null;
  readonly mode: MigrationMode | null;
  /** Of the schema before it ran and after, hex. */
  readonly fingerprintBefore: string | null;
  readonly fingerprintAfter: string | null;
  /** Of the plan that it was a part of, hex. */
  readonly planHash: string | null;
  readonly elapsedMs: number;
}

/** One applied migration, as the database remembers it. */
export interface AppliedMigration extends LedgerEntry {
  readonly appliedAt: Date;
}

/** What was applied to a database, in order of number; nothing before its first migration. */
export async function readLedger(sql: Queryable): Promise<AppliedMigration[]> {
  const [made] = await sql<{ made: boolean }[]>`select to_regclass('hx.migration') is not null as made`;
  if (made?.made !== true) return [];
  return sql<AppliedMigration[]>`
    select number, name, hash, r ->> 'semantic_hash' as "semanticHash", r ->> 'mode' as mode,
      r ->> 'fingerprint_before' as "fingerprintBefore", r ->> 'fingerprint_after' as "fingerprintAfter",
      r ->> 'plan_hash' as "planHash", applied_at as "appliedAt", elapsed_ms as "elapsedMs"
    from hx.migration m, to_jsonb(m) as r order by number`;
}

/** Numbers of the migrations that this version of hx has and the database lacks. */
export async function pendingNumbers(sql: Queryable): Promise<number[]> {
  const applied = new Set((await readLedger(sql)).map(({ number }) => number));
  const numbers = migrationNames(migrationsFolder()).map(numberOf);
  return numbers.filter((number) => !applied.has(number));
}

/** What hx does to a ledger besides refusing. */
export type MigrationEvent = 'applied' | 'failed' | 'resumed' | 'repaired' | 'baselined';

export async function recordEvent(
  sql: Queryable,
  kind: MigrationEvent,
  number: number | null,
  message: string,
): Promise<void> {
  await sql`insert into hx.migration_event (kind, number, message) values (${kind}, ${number}, ${message})`;
}

/** Whether the ledger of a database keeps hashes, fingerprints and steps: migrations/0008_migration_steps.sql. */
export async function hasStepLedger(sql: Queryable): Promise<boolean> {
  const [row] = await sql`select to_regclass('hx.migration_step') is not null as made`;
  return row?.['made'] === true;
}

/**
 * Writes a migration down in its own transaction, with as much of it as the ledger has room for.
 * @param earlier what is known of the migrations before it and is not in the ledger; it is filled in with the first
 * migration that finds room.
 * @returns whether there was room.
 */
export async function recordApplied(
  sql: TransactionSql,
  entry: LedgerEntry,
  earlier: readonly LedgerEntry[],
): Promise<boolean> {
  const { number, name, hash, elapsedMs } = entry;
  await sql`
    insert into hx.migration (number, name, hash, elapsed_ms, hx_version)
    values (${number}, ${name}, ${hash}, ${elapsedMs}, ${version()})`;
  const roomy = await hasStepLedger(sql);
  if (roomy) await fillLedger(sql, [...earlier, entry]);
  return roomy;
}

/** Writes what is known of applied migrations into rows that do not have it yet. */
export async function fillLedger(sql: TransactionSql, entries: readonly LedgerEntry[]): Promise<void> {
  const rows = entries.map((entry) => ({
    number: entry.number,
    semantic_hash: entry.semanticHash,
    mode: entry.mode,
    fingerprint_before: entry.fingerprintBefore,
    fingerprint_after: entry.fingerprintAfter,
    plan_hash: entry.planHash,
  }));
  const query = await readFile(packagePath('sql', 'postgres', 'fill_ledger.sql'), 'utf8');
  await sql.unsafe(query, [JSON.stringify(rows)]);
}

function version(): string {
  const manifest = JSON.parse(readFileSync(packagePath('package.json'), 'utf8')) as { version: string };
  return manifest.version;
}
