import type { Sql } from 'postgres';
import type { Settings } from '../../base/config.js';
import type { EmitProgress } from '../../base/events.js';
import { connectDirectly } from '../connect.js';
import { checkIdentity, readIdentity } from '../identity.js';
import { type EnvironmentTarget, findTarget } from '../target.js';
import { translateDatabaseError } from '../translate.js';
import type { Fingerprint } from './fingerprint/read.js';
import { LOCK_TIMEOUT_MS, migratorName, takeLock } from './lock.js';

/** Applies the migrations up to `to` to a scratch database and reads its schema. */
export type Replay = (options: MigrateOptions) => Promise<Fingerprint>;

export interface MigrateOptions {
  readonly settings: Settings;
  readonly signal: AbortSignal;
  readonly emit: EmitProgress;
  /** The folder of migrations; that of hx by default. */
  readonly folder?: string;
  /** Number of the last migration to apply; all by default, none for 0. */
  readonly to?: number | undefined;
  /** The first characters of the hash of the plan that the user has seen; production needs them. */
  readonly confirm?: string | undefined;
  /** Reads the schema that migrations make; it names what differs when the one of a database is another. */
  readonly replay?: Replay;
  /** How long to wait for another migrator. */
  readonly lockTimeoutMs?: number;
}

/** Who migrates a database: one session, which holds the migration lock of its database. */
export interface Migrator {
  readonly sql: Sql;
  readonly target: EnvironmentTarget;
  /** The backend that took the lock. */
  readonly backend: number;
  readonly signal: AbortSignal;
  readonly emit: EmitProgress;
}

/**
 * Gives `work` one direct connection that stays the same, to the chosen environment's own database.
 * @throws HxError `refused` for another environment's database, and what connecting throws.
 */
export async function withMigrationSession<T>(
  { settings, signal, emit }: Pick<MigrateOptions, 'settings' | 'signal' | 'emit'>,
  work: (sql: Sql, target: EnvironmentTarget) => Promise<T>,
): Promise<T> {
  const target = findTarget(settings);
  const session = { max: 1, applicationName: migratorName(), pinned: true };
  const sql = await connectDirectly(target, session, signal, emit);
  try {
    await refuseOther(sql, target);
    return await work(sql, target);
  } catch (error) {
    throw translateDatabaseError(error, target.errors);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/**
 * As withMigrationSession, and nobody else migrates meanwhile.
 * @throws HxError `unavailable` when the lock is not free in time.
 */
export function withMigrator<T>(
  options: MigrateOptions,
  work: (migrator: Migrator) => Promise<T>,
): Promise<T> {
  return withMigrationSession(options, async (sql, target) => {
    const { signal, emit } = options;
    const backend = await takeLock(sql, options.lockTimeoutMs ?? LOCK_TIMEOUT_MS, signal, emit);
    // Once more, now that nobody else can change it.
    await refuseOther(sql, target);
    return work({ sql, target, backend, signal, emit });
  });
}

async function refuseOther(sql: Sql, { environment }: EnvironmentTarget): Promise<void> {
  const identity = await readIdentity(sql);
  if (identity !== undefined) checkIdentity(identity, environment);
}
