import { HxError, messageOf, systemCode } from '../../base/errors.js';
import { sleep } from '../../base/time.js';
import { translateDatabaseError } from '../translate.js';
import { watchBlockers } from './blockers.js';
import type { Migration } from './files.js';
import type { LedgerEntry } from './ledger.js';
import { recordEvent } from './ledger.js';
import { refuseUnsafe } from './lint/gate.js';
import { type MigrateOptions, type Migrator, withMigrationSession, withMigrator } from './migrator.js';
import { type Plan, readPlan } from './plan.js';
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

/**
 * Applies what is pending, each migration together with its ledger row. Two at once are safe: the second waits, then
 * finds nothing left. What an earlier run left half done is carried on with.
 * @throws HxError as planMigrations, `failed` when a migration fails, `unavailable` when the lock is not free.
 */
export function applyMigrations(options: MigrateOptions): Promise<AppliedNow[]> {
  return withMigrator(options, async (migrator) => {
    const plan = await readPlan(migrator.sql, options);
    if (plan.pending.length === 0) return [];
    const { signal, emit, target } = migrator;
    await refuseUnsafe(plan.pending, target.environment, emit);
    const run = await beginRun(migrator, plan);
    const startedMs = performance.now();
    const done: AppliedNow[] = [];
    for (const migration of plan.pending) {
      signal.throwIfAborted();
      const { number, name, elapsedMs } = await applyPatiently(run, migration);
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
async function applyPatiently(run: Run, migration: Migration): Promise<LedgerEntry> {
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
