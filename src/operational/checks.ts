import type { TransactionSql } from 'postgres';
import { CHECK_CONTEXT_COLUMNS, type CheckRecord, RUN_COLUMNS } from '../rpl/record.js';
import type { Attempt, AttemptStatus } from '../rpl/sample.js';
import type { Database } from './connection.js';
import { rowFromPostgres, rowToPostgres } from './rows.js';

/** The measured columns of `checks`; lane A's own (user, request, cache key) are not part of a record. */
export const CHECK_COLUMNS = [...RUN_COLUMNS, ...CHECK_CONTEXT_COLUMNS] as const;

/** Stores one check in the caller's transaction. */
export async function insertCheck(sql: TransactionSql, check: CheckRecord, cacheKey: string): Promise<void> {
  const row = { ...rowToPostgres(CHECK_COLUMNS, check), cache_key: cacheKey };
  await sql`insert into checks ${sql(row)}`;
}

/** One check of this environment by its run id. */
export async function findCheck(database: Database, runId: string): Promise<CheckRecord | undefined> {
  const names = CHECK_COLUMNS.map(({ name }) => name);
  const [row] = await database.read((sql) => sql`select ${sql(names)} from checks where run_id = ${runId}`);
  return row === undefined ? undefined : rowFromPostgres(CHECK_COLUMNS, row);
}

/** Commits one attempt of a run as it arrives. */
export async function insertAttempt(
  database: Database,
  attemptId: string,
  runId: string,
  attempt: Attempt,
): Promise<void> {
  const row = {
    attempt_id: attemptId,
    run_id: runId,
    env: database.environment,
    sample_key: attempt.sampleKey,
    template_id: attempt.templateId,
    replicate: attempt.replicate,
    ordinal: attempt.ordinal,
    status: attempt.status,
    prob_true: attempt.probTrue,
    answer_text: attempt.answerText,
    problem: attempt.problem,
    model_resolved: attempt.modelResolved,
    system_fingerprint: attempt.systemFingerprint,
    tokens_in: attempt.tokensIn,
    tokens_out: attempt.tokensOut,
    started_at: attempt.startedAt,
    latency_ms: attempt.latencyMs,
  };
  await database.write((sql) => sql`insert into attempts ${sql(row)}`);
}

interface StoredAttempt {
  sample_key: string;
  template_id: string;
  replicate: number;
  ordinal: number;
  status: AttemptStatus;
  prob_true: number | null;
  answer_text: string | null;
  problem: string | null;
  model_resolved: string | null;
  system_fingerprint: string | null;
  tokens_in: number | null;
  tokens_out: number | null;
  started_at: Date;
  latency_ms: number;
}

/** Every attempt of a run, in the order in which they were stored. */
export async function readAttempts(database: Database, runId: string): Promise<Attempt[]> {
  const rows = await database.read(
    (sql) => sql<StoredAttempt[]>`
      select sample_key, template_id, replicate, ordinal, status, prob_true, answer_text, problem, model_resolved,
        system_fingerprint, tokens_in, tokens_out, started_at, latency_ms
      from attempts where run_id = ${runId} order by stored_at, attempt_id`,
  );
  return rows.map((row) => ({
    sampleKey: row.sample_key,
    templateId: row.template_id,
    replicate: row.replicate,
    ordinal: row.ordinal,
    status: row.status,
    probTrue: row.prob_true,
    answerText: row.answer_text,
    problem: row.problem,
    modelResolved: row.model_resolved,
    systemFingerprint: row.system_fingerprint,
    tokensIn: row.tokens_in,
    tokensOut: row.tokens_out,
    startedAt: row.started_at,
    latencyMs: row.latency_ms,
  }));
}
