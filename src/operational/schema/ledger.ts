import type { Queryable } from '../session.js';
import { migrationNames, migrationsFolder, numberOf } from './files.js';

/** One applied migration, as the database remembers it. */
export interface AppliedMigration {
  readonly number: number;
  readonly name: string;
  readonly hash: string;
  /** Of the statements alone; null where the ledger did not keep it yet. */
  readonly semanticHash: string | null;
  readonly appliedAt: Date;
  readonly elapsedMs: number;
}

/** What was applied to a database, in order of number; nothing before its first migration. */
export async function readLedger(sql: Queryable): Promise<AppliedMigration[]> {
  const [made] = await sql<{ made: boolean }[]>`select to_regclass('hx.migration') is not null as made`;
  if (made?.made !== true) return [];
  return sql<AppliedMigration[]>`
    select number, name, hash, to_jsonb(m) ->> 'semantic_hash' as "semanticHash", applied_at as "appliedAt",
      elapsed_ms as "elapsedMs"
    from hx.migration m order by number`;
}

/** Numbers of the migrations that this version of hx has and the database lacks. */
export async function pendingNumbers(sql: Queryable): Promise<number[]> {
  const applied = new Set((await readLedger(sql)).map(({ number }) => number));
  const numbers = migrationNames(migrationsFolder()).map(numberOf);
  return numbers.filter((number) => !applied.has(number));
}
