import type { Environment } from '../../../base/environments.js';
import type { OpenOptions } from '../../connect.js';
import { withDirectSession } from '../../connect.js';
import { checkIdentity, readIdentity } from '../../identity.js';
import { applyMigrations } from '../apply.js';
import { withScratchDatabase } from '../scratch.js';
import { type Fingerprint, readFingerprint } from './read.js';

export interface ReplayOptions extends OpenOptions {
  /** The folder of migrations; that of hx by default. */
  readonly folder?: string | undefined;
  /** Number of the last migration to replay; all by default. */
  readonly to?: number | undefined;
}

/**
 * Reads the schema of the chosen environment's database.
 * @throws HxError `refused` when the database there is another environment's, and what connecting throws.
 */
export function environmentFingerprint(options: OpenOptions): Promise<Fingerprint> {
  return withDirectSession(options, { applicationName: 'hx migrate diff' }, async (sql, { environment }) => {
    const identity = await readIdentity(sql);
    if (identity !== undefined) checkIdentity(identity, environment);
    return readFingerprint(sql);
  });
}

/**
 * Reads the schema that the migrations make, by applying them to a scratch database on the local server.
 * @throws HxError as withScratchDatabase and applyMigrations.
 */
export function replayFingerprint({ folder, to, ...options }: ReplayOptions): Promise<Fingerprint> {
  return withScratchDatabase(options, async (settings) => {
    const { signal } = options;
    const given = folder === undefined ? {} : { folder };
    await applyMigrations({ settings, signal, emit: () => undefined, to, ...given });
    return environmentFingerprint({ ...options, settings });
  });
}

/** Reads an environment's schema, or that of the migration files. */
export function schemaOf(source: Environment | 'files', options: ReplayOptions): Promise<Fingerprint> {
  if (source === 'files') return replayFingerprint(options);
  return environmentFingerprint({ ...options, settings: options.settings.of(source) });
}
