import { readFileSync } from 'node:fs';
import type { Sql, TransactionSql } from 'postgres';
import type { Settings } from '../../base/config.js';
import { HxError, messageOf, systemCode } from '../../base/errors.js';
import type { EmitProgress } from '../../base/events.js';
import { packagePath } from '../../base/paths.js';
import { sleep } from '../../base/time.js';
import { connectDirectly } from '../connect.js';
import { checkIdentity, createIdentity, readIdentity } from '../identity.js';
import { actAsOwner } from '../roles.js';
import { type EnvironmentTarget, findTarget } from '../target.js';
import { translateDatabaseError } from '../translate.js';
import { type Migration, migrationsFolder, readMigrations } from './files.js';
import { readLedger } from './ledger.js';
import { refuseUnsafe } from './lint/gate.js';
import { checkLockHeld, LOCK_TIMEOUT_MS, migratorName, takeLock } from './lock.js';
import { makePlan, type Plan } from './plan.js';
import { lineOf } from './statements.js';
import { currentTransaction, leftTransaction, wasCommitted } from './transaction.js';

/** A migration gives up waiting for a table after this long, so that traffic does not queue up behind it. */
const TABLE_LOCK_TIMEOUT_MS = 5_000;
const TABLE_LOCK_ATTEMPTS = 5;
const TABLE_LOCK_PAUSE_MS = 1_000;
const LOCK_NOT_AVAILABLE = '55P03';
const CORRECT_IT =
  'Nothing of this migration was applied; those before it stay. Correct it and run hx migrate again.';

export interface MigrateOptions {
  readonly settings: Settings;
  readonly signal: AbortSignal;
  readonly emit: EmitProgress;
  /** The folder of migrations; that of hx by default. */
  readonly folder?: string;
  /** Number of the last migration to apply; all by default. */
  readonly to?: number | undefined;
  /** How long to wait for another migrator. */
  readonly lockTimeoutMs?: number;
}

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
  return withMigrationSession(options, async (sql, target) => {
    await refuseOther(sql, target);
    return readPlan(sql, options);
  });
}

/**
 * Applies what is pending, each migration in a transaction of its own together with its ledger row. Two at once
 * are safe: the second waits, then finds nothing left.
 * @throws HxError as planMigrations, `failed` when a migration fails, `unavailable` when the lock is not free.
 */
export function applyMigrations(options: MigrateOptions): Promise<AppliedNow[]> {
  return withMigrationSession(options, async (sql, target) => {
    // Refused before anything is locked or run, and again once nobody else can change it.
    await refuseOther(sql, target);
    const { signal, emit } = options;
    const backend = await takeLock(sql, options.lockTimeoutMs ?? LOCK_TIMEOUT_MS, signal, emit);
    await refuseOther(sql, target);
    const { pending } = await readPlan(sql, options);
    await refuseUnsafe(pending, target.environment, emit);
    const startedMs = performance.now();
    const done: AppliedNow[] = [];
    for (const migration of pending) {
      signal.throwIfAborted();
      done.push(await applyPatiently(sql, migration, target, backend, options));
      const elapsedMs = performance.now() - startedMs;
      emit({ type: 'progress', what: 'migrations', done: done.length, total: pending.length, elapsedMs });
    }
    return done;
  });
}

async function readPlan(sql: Sql, { folder, to }: MigrateOptions): Promise<Plan> {
  return makePlan(readMigrations(folder ?? migrationsFolder()), await readLedger(sql), to);
}

/** One direct connection that stays the same: it holds the lock. */
async function withMigrationSession<T>(
  { settings, signal, emit }: MigrateOptions,
  work: (sql: Sql, target: EnvironmentTarget) => Promise<T>,
): Promise<T> {
  const target = findTarget(settings);
  const session = { max: 1, applicationName: migratorName(), pinned: true };
  const sql = await connectDirectly(target, session, signal, emit);
  try {
    return await work(sql, target);
  } catch (error) {
    throw translateDatabaseError(error, target.errors);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

async function refuseOther(sql: Sql, { environment }: EnvironmentTarget): Promise<void> {
  const identity = await readIdentity(sql);
  if (identity !== undefined) checkIdentity(identity, environment);
}

/** Tries again when a table stayed locked, and for no other reason. */
async function applyPatiently(
  sql: Sql,
  migration: Migration,
  target: EnvironmentTarget,
  backend: number,
  { signal, emit }: MigrateOptions,
): Promise<AppliedNow> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await applyOne(sql, migration, target, backend);
    } catch (error) {
      if (systemCode(error) !== LOCK_NOT_AVAILABLE || attempt >= TABLE_LOCK_ATTEMPTS) {
        await recordFailure(sql, migration, error);
        throw failure(migration, error, target);
      }
      emit({ type: 'note', message: `${migration.name}: a table is locked; trying again.` });
      await sleep(TABLE_LOCK_PAUSE_MS * (0.5 + Math.random()), signal);
    }
  }
}

async function applyOne(
  sql: Sql,
  migration: Migration,
  { environment }: EnvironmentTarget,
  backend: number,
): Promise<AppliedNow> {
  const { number, name, hash } = migration;
  const startedMs = performance.now();
  let elapsedMs = 0;
  let began = '';
  try {
    await sql.begin(async (transaction) => {
      await checkLockHeld(transaction, backend);
      await transaction`
        select set_config('hx.env', ${environment}, true),
          set_config('lock_timeout', ${String(TABLE_LOCK_TIMEOUT_MS)}, true)`;
      await actAsOwner(transaction);
      began = await currentTransaction(transaction);
      await transaction.unsafe(migration.sql);
      if ((await currentTransaction(transaction)) !== began) throw leftTransaction(name);
      // refuseOther saw to it, under the lock, that a missing identity can only mean the first migration.
      if (typeof (await readIdentity(transaction)) !== 'object')
        await createIdentity(transaction, environment);
      elapsedMs = Math.round((performance.now() - startedMs) * 10) / 10;
      await record(transaction, { number, name, hash, elapsedMs });
      // A commit that is ours says nothing about the file, even when its answer is lost.
      began = '';
    });
  } catch (error) {
    if (error instanceof HxError || !(await wasCommitted(sql, began))) throw error;
    throw leftTransaction(name, error);
  }
  return { number, name, elapsedMs };
}

async function record(
  sql: TransactionSql,
  { number, name, hash, elapsedMs }: Pick<Migration, 'hash'> & AppliedNow,
): Promise<void> {
  await sql`
    insert into hx.migration (number, name, hash, elapsed_ms, hx_version)
    values (${number}, ${name}, ${hash}, ${elapsedMs}, ${version()})`;
  await sql`insert into hx.migration_event (kind, number, message) values ('applied', ${number}, ${name})`;
}

/** Written down outside the transaction that failed, where the ledger exists and the connection still does. */
async function recordFailure(sql: Sql, { number, name }: Migration, error: unknown): Promise<void> {
  try {
    await sql`
      insert into hx.migration_event (kind, number, message)
      values ('failed', ${number}, ${`${name}: ${messageOf(error)}`})`;
  } catch {
    // The failure itself is on its way to the user; that the diary could not be written adds nothing.
  }
}

function failure({ name, sql }: Migration, error: unknown, target: EnvironmentTarget): unknown {
  if (!(error instanceof Error) || error.name !== 'PostgresError') {
    return translateDatabaseError(error, target.errors);
  }
  const position = 'position' in error ? Number(error.position) : Number.NaN;
  const line = position > 0 ? `, line ${lineOf(sql, position)}` : '';
  const hint = 'hint' in error && systemCode(error)?.startsWith('HX') ? String(error.hint) : CORRECT_IT;
  return new HxError('failed', `${name}${line}: ${error.message}`, { cause: error, hint });
}

function version(): string {
  const manifest = JSON.parse(readFileSync(packagePath('package.json'), 'utf8')) as { version: string };
  return manifest.version;
}
