import { readFileSync } from 'node:fs';
import type { TransactionSql } from 'postgres';
import { packagePath } from '../../base/paths.js';
import type { Queryable } from '../session.js';
import { migrationNames, migrationsFolder, numberOf } from './files.js';
import type { MigrationMode } from './header.js';

/** What the ledger keeps of a migration. */
export interface LedgerEntry {
  readonly number: number;
  readonly name: string;
  /** SHA-256 of the file, hex. */
  readonly hash: string;
  /** Of the statements alone. */
  readonly semanticHash: string;
  readonly mode: MigrationMode;
  /** Of the schema before it ran and after, hex. */
  readonly fingerprintBefore: string;
  readonly fingerprintAfter: string;
  /** Of the plan that it was a part of, hex. */
  readonly planHash: string;
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
    select number, name, hash, semantic_hash as "semanticHash", mode, fingerprint_before as "fingerprintBefore",
      fingerprint_after as "fingerprintAfter", plan_hash as "planHash", applied_at as "appliedAt",
      elapsed_ms as "elapsedMs"
    from hx.migration order by number`;
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

/** Writes a migration down in its own transaction. */
export async function recordApplied(sql: TransactionSql, entry: LedgerEntry): Promise<void> {
  const { number, name, hash, semanticHash, mode, fingerprintBefore, fingerprintAfter, planHash, elapsedMs } =
    entry;
  await sql`
    insert into hx.migration (number, name, hash, semantic_hash, mode, fingerprint_before, fingerprint_after,
      plan_hash, elapsed_ms, hx_version)
    values (${number}, ${name}, ${hash}, ${semanticHash}, ${mode}, ${fingerprintBefore}, ${fingerprintAfter},
      ${planHash}, ${elapsedMs}, ${hxVersion()})`;
}

/** The version of hx that is at work. */
export function hxVersion(): string {
  const manifest = JSON.parse(readFileSync(packagePath('package.json'), 'utf8')) as { version: string };
  return manifest.version;
}
