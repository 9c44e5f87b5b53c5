import { mayNotAct } from '../roles.js';
import type { Queryable } from '../session.js';

/** A statement of a migration in steps, as the database remembers it. */
export interface RecordedStep {
  /** Of the migration. */
  readonly number: number;
  /** From 1. */
  readonly step: number;
  readonly statement: string;
  /** SHA-256 of the statement without comments, hex. */
  readonly statementHash: string;
  /** Of the schema before it ran, hex. */
  readonly fingerprintBefore: string;
  readonly startedAt: Date;
  /** Null while it runs, and for good when the migrator died meanwhile. */
  readonly finishedAt: Date | null;
}

/**
 * The steps of the migration that was begun and has not ended, in order; none where there is no such.
 * @throws HxError `refused` for a login that is not to migrate.
 */
export async function readOpenSteps(sql: Queryable): Promise<RecordedStep[]> {
  const [made] = await sql<{ readable: boolean | null; login: string; quoted: string }[]>`
    select has_table_privilege(to_regclass('hx.migration_step'), 'SELECT') as readable,
      session_user::text as login, quote_ident(session_user) as quoted`;
  if (made?.readable === false) throw mayNotAct(made.login, made.quoted, 'hx_migrate');
  if (made?.readable !== true) return [];
  return sql<RecordedStep[]>`
    select number, step, statement, statement_hash as "statementHash", fingerprint_before as "fingerprintBefore",
      started_at as "startedAt", finished_at as "finishedAt"
    from hx.migration_step s
    where not exists (select from hx.migration m where m.number = s.number)
    order by number, step`;
}

export async function beginStep(
  sql: Queryable,
  step: Pick<RecordedStep, 'number' | 'step' | 'statement' | 'statementHash' | 'fingerprintBefore'>,
): Promise<void> {
  await sql`
    insert into hx.migration_step (number, step, statement, statement_hash, fingerprint_before)
    values (${step.number}, ${step.step}, ${step.statement}, ${step.statementHash}, ${step.fingerprintBefore})`;
}

export async function finishStep(sql: Queryable, number: number, step: number): Promise<void> {
  await sql`
    update hx.migration_step set finished_at = clock_timestamp() where number = ${number} and step = ${step}`;
}

/** Forgets a step that did nothing, so that it runs again. */
export async function forgetStep(sql: Queryable, number: number, step: number): Promise<void> {
  await sql`delete from hx.migration_step where number = ${number} and step = ${step} and finished_at is null`;
}

/** How long the statements of a migration ran, in milliseconds, over all its runs. */
export async function elapsedOf(sql: Queryable, number: number): Promise<number> {
  const [row] = await sql<{ ms: number }[]>`
    select coalesce(sum(extract(epoch from finished_at - started_at)) * 1000, 0)::double precision as ms
    from hx.migration_step where number = ${number}`;
  return row?.ms ?? 0;
}
