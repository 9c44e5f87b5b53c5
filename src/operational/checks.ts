import { readFile } from 'node:fs/promises';
import type { TransactionSql } from 'postgres';
import { packagePath } from '../base/paths.js';
import type { MeasurementPlan } from '../rpl/plan.js';
import { ATTEMPT_COLUMNS, CHECK_CONTEXT_COLUMNS, type CheckRecord, RUN_COLUMNS } from '../rpl/record.js';
import { type Attempt, attemptFromRow, attemptToRow } from '../rpl/sample.js';
import { RESULT_LIFETIME } from './cache.js';
import type { Database } from './connection.js';
import { rowFromPostgres, rowToPostgres } from './rows.js';

/** The measured columns of `checks`; lane A's own (user, request, cache key) are not part of a record. */
export const CHECK_COLUMNS = [...RUN_COLUMNS, ...CHECK_CONTEXT_COLUMNS] as const;

/** What lane A keeps of a check besides its record. */
export interface CheckOrigin {
  readonly cacheKey: string;
  /** The request that it belongs to; null for a check on its own. */
  readonly requestId: string | null;
}

/** Stores one check in the caller's transaction. */
export async function insertCheck(
  sql: TransactionSql,
  check: CheckRecord,
  origin: CheckOrigin,
): Promise<void> {
  const { cacheKey, requestId } = origin;
  const row = { ...rowToPostgres(CHECK_COLUMNS, check), cache_key: cacheKey, request_id: requestId };
  await sql`insert into checks ${sql(row)}`;
}

/** Stores a request: one claim put to several models. */
export async function insertRequest(
  database: Database,
  request: { readonly requestId: string; readonly claimHash: string; readonly models: readonly string[] },
): Promise<void> {
  await database.write(
    (sql) => sql`
      insert into requests (request_id, env, claim_hash, models)
      values (${request.requestId}, ${database.environment}, ${request.claimHash}, ${sql.json([...request.models])})`,
  );
}

/** One check of this environment by its run id, unless it was deleted. */
export async function findCheck(database: Database, runId: string): Promise<CheckRecord | undefined> {
  const names = CHECK_COLUMNS.map(({ name }) => name);
  const [row] = await database.read(
    (sql) => sql`select ${sql(names)} from checks where run_id = ${runId} and deleted_at is null`,
  );
  return row === undefined ? undefined : rowFromPostgres(CHECK_COLUMNS, row);
}

/** A content hash, other than this one, that checks were measured with under a bank's `id@version`. */
export async function otherBankHash(
  database: Database,
  bank: string,
  bankHash: string,
): Promise<string | undefined> {
  const [row] = await database.read(
    (sql) => sql<{ bank_hash: string }[]>`
      select bank_hash from checks where bank = ${bank} and bank_hash <> ${bankHash} limit 1`,
  );
  return row?.bank_hash;
}

/** The parts of a configuration that no readout depends on. */
const BESIDE_READOUTS = ['b', 'estimator', 'bootstrap_seed'];
/** The parts of a configuration that no sample depends on. */
const BESIDE_SAMPLES = [...BESIDE_READOUTS, 'readout'];

/**
 * The run id of the newest check that asked for the same samples itself, or for the same readouts, as long as a
 * cached result would count; undefined when there is none.
 */
export async function findSame(
  what: 'samples' | 'readouts',
  database: Database,
  { claimHash, identity, configJson }: MeasurementPlan,
): Promise<string | undefined> {
  const statement = await readFile(packagePath('sql', 'postgres', 'same_samples.sql'), 'utf8');
  const isReadouts = what === 'readouts';
  const [row] = await database.read((sql) =>
    sql.unsafe<{ run_id: string }[]>(statement, [
      claimHash,
      identity.model,
      RESULT_LIFETIME,
      configJson,
      JSON.stringify(isReadouts ? BESIDE_READOUTS : BESIDE_SAMPLES),
      isReadouts,
    ]),
  );
  return row?.run_id;
}

/** Commits attempts of a run, together. */
export async function insertAttempts(
  database: Database,
  runId: string,
  attempts: readonly { readonly attemptId: string; readonly attempt: Attempt }[],
): Promise<void> {
  const rows = attempts.map(({ attemptId, attempt }) => ({
    ...rowToPostgres(ATTEMPT_COLUMNS, attemptToRow(attempt)),
    attempt_id: attemptId,
    run_id: runId,
    env: database.environment,
  }));
  await database.write((sql) => sql`insert into attempts ${sql(rows)}`);
}

/** Every attempt of a run, in the order in which they were stored. */
export async function readAttempts(database: Database, runId: string): Promise<Attempt[]> {
  const names = ATTEMPT_COLUMNS.map(({ name }) => name);
  const rows = await database.read(
    (sql) => sql`select ${sql(names)} from attempts where run_id = ${runId} order by stored_at, attempt_id`,
  );
  return rows.map((row) => attemptFromRow(rowFromPostgres(ATTEMPT_COLUMNS, row)));
}
