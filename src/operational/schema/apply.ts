import type { Sql } from 'postgres';
import type { Environment } from '../../base/environments.js';
import { HxError, messageOf, systemCode } from '../../base/errors.js';
import { sleep } from '../../base/time.js';
import { translateDatabaseError } from '../translate.js';
import { watchBlockers } from './blockers.js';
import type { Migration } from './files.js';
import { readFingerprint } from './fingerprint/read.js';
import type { LedgerEntry } from './ledger.js';
import { recordEvent } from './ledger.js';
import { type MigrateOptions, type Migrator, withMigrationSession, withMigrator } from './migrator.js';
import { hashPlan, type Plan, readPlan } from './plan.js';
import { checkBefore, explainUnexpected, requireProof, sourceOf, UnexpectedSchema } from './promotion.js';
import { beginRun, type Run, TABLE_LOCK_TIMEOUT_MS } from './run.js';
import { lineOf } from './statements.js';
import { applyInSteps, StepError } from './steps.js';
import { applyWhole } from './whole.js';

const TABLE_LOCK_ATTEMPTS = 5;
const TABLE_LOCK_PAUSE_MS = 1_000;
const LOCK_NOT_AVAILABLE = '55P03';
const CORRECT_IT =
  'Nothing of this migration was applied; those before it stay. Correct it and run hx migrate again.';

export interface AppliedNow {
  readonly number: number;
  readonly name: string;
  readonly elapsedMs: number;
}

/**
 * What is applied to the environment's database and what is pending. Changes nothing.
 * @throws HxError `conflict` for edited, missing or out-of-order files, `refused` for another environment's
 * database, and what connecting throws.
 */
export function planMigrations(options: MigrateOptions): Promise<Plan> {
  return withMigrationSession(options, (sql) => readPlan(sql, options));
}

/** What would run on an environment's database, and what stands against it. */
export interface PlannedRun extends Plan {
  /** Of what is pending, hex; null when nothing is. */
  readonly planHash: string | null;
  /** What a person calls this database: its branch on Neon, else its name. */
  readonly place: string;
  /** The environment that has to have applied it before; null for none. */
  readonly source: Environment | null;
  /** Why it must not run here now; undefined when it may. */
  readonly blocker: HxError | undefined;
}

/**
 * What applyMigrations would do, and whether the source has proven it. Changes nothing.
 * @throws HxError as planMigrations.
 */
export function planRun(options: MigrateOptions): Promise<PlannedRun> {
  return withMigrationSession(options, async (sql, { environment }) => {
    const plan = await readPlan(sql, options);
    const [row] = await sql<{ place: string }[]>`
      select coalesce(nullif(current_setting('neon.branch_id', true), ''), current_database()) as place`;
    return {
      ...plan,
      planHash: plan.pending.length === 0 ? null : (await hashPlan(plan.pending)).plan,
      place: row?.place ?? '',
      source: sourceOf(environment),
      blocker: plan.pending.length === 0 ? undefined : await findBlocker(sql, plan, environment, options),
    };
  });
}

async function findBlocker(
  sql: Sql,
  plan: Plan,
  environment: Environment,
  options: MigrateOptions,
): Promise<HxError | undefined> {
  try {
    const proof = await requireProof(options, environment, plan.pending);
    if (proof === undefined) return undefined;
    await checkBefore(proof, plan, await readFingerprint(sql), environment, options);
    return undefined;
  } catch (error) {
    if (error instanceof HxError) return error;
    throw error;
  }
}

/**
 * Applies what is pending, each migration together with its ledger row. Two at once are safe: the second waits, then
 * finds nothing left. What an earlier run left half done is carried on with.
 * @throws HxError as planMigrations, `failed` when a migration fails, `unavailable` when the lock is not free.
 */
export function applyMigrations(options: MigrateOptions): Promise<AppliedNow[]> {
  return withMigrator(options, async (migrator) => {
    const plan = await readPlan(migrator.sql, options);
    if (plan.pending.length === 0) return [];
    const { signal, emit } = migrator;
    const run = await beginRun(migrator, plan, options);
    const startedMs = performance.now();
    const done: AppliedNow[] = [];
    for (const migration of plan.pending) {
      signal.throwIfAborted();
      const { number, name, elapsedMs } = await applyPatiently(run, migration, options);
      done.push({ number, name, elapsedMs });
      const total = plan.pending.length;
      emit({
        type: 'progress',
        what: 'migrations',
        done: done.length,
        total,
        elapsedMs: performance.now() - startedMs,
      });
    }
    return done;
  });
}

/** Tries again when a table stayed locked, and for no other reason. */
async function applyPatiently(run: Run, migration: Migration, options: MigrateOptions): Promise<LedgerEntry> {
  const { signal, emit } = run.migrator;
  const { name, lockTimeoutMs = TABLE_LOCK_TIMEOUT_MS } = migration;
  const watch = watchBlockers(run.migrator, name, lockTimeoutMs);
  try {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await (migration.mode === 'steps' ? applyInSteps : applyWhole)(run, migration);
      } catch (error) {
        if (systemCode(error) !== LOCK_NOT_AVAILABLE || attempt >= TABLE_LOCK_ATTEMPTS) {
          await recordFailure(run.migrator, migration, error);
          if (error instanceof UnexpectedSchema && run.proof !== undefined) {
            const { environment } = run.migrator.target;
            throw await explainUnexpected(error, run.proof, migration, environment, options);
          }
          throw failure(run.migrator, migration, error, watch.seen());
        }
        emit({
          type: 'note',
          message: `${name}: a table is locked; trying again (${attempt} of ${TABLE_LOCK_ATTEMPTS - 1}).`,
        });
        await sleep(TABLE_LOCK_PAUSE_MS * (0.5 + Math.random()), signal);
      }
    }
  } finally {
    await watch.stop();
  }
}

/** Written down outside the transaction that failed, where the ledger exists and the connection still does. */
async function recordFailure({ sql }: Migrator, { number, name }: Migration, error: unknown): Promise<void> {
  try {
    await recordEvent(sql, 'failed', number, `${name}: ${messageOf(error)}`);
  } catch {
    // The failure itself is on its way to the user; that the diary could not be written adds nothing.
  }
}

/** What went wrong, where in the file, and what is left of the migration. */
function failure(
  { target }: Migrator,
  { name, sql }: Migration,
  thrown: unknown,
  blockers: string | undefined,
): unknown {
  const step = thrown instanceof StepError ? thrown : undefined;
  const error = step === undefined ? thrown : step.cause;
  if (!(error instanceof Error) || error.name !== 'PostgresError') {
    return translateDatabaseError(error, target.errors);
  }
  const position = 'position' in error ? Number(error.position) : Number.NaN;
  const inText = position > 0 ? lineOf(step?.statement.text ?? sql, position) : undefined;
  const line = step === undefined ? inText : step.statement.line + (inText ?? 1) - 1;
  const where = line === undefined ? '' : `, line ${line}`;
  const by = systemCode(error) === LOCK_NOT_AVAILABLE && blockers !== undefined ? `: ${blockers}` : '';
  const own = 'hint' in error && systemCode(error)?.startsWith('HX') ? String(error.hint) : undefined;
  return new HxError('failed', `${name}${where}: ${error.message}${by}`, {
    cause: error,
    hint: own ?? step?.hint ?? CORRECT_IT,
  });
}
