// How the bench's tests look at hx: as the development environment, at an address of the bench.
import type { ProgressEvent } from '../../src/base/events.js';
import { type Database, openDatabase } from '../../src/operational/connection.js';
import { applyMigrations } from '../../src/operational/schema/apply.js';
import type { EnvironmentTarget } from '../../src/operational/target.js';
import { findTarget } from '../../src/operational/target.js';
import { createTestDatabase, makeTestSettings } from '../helpers.js';
import { type NeonBench, startNeonBench } from './bench.js';
import { directHost } from './names.js';

export const DATABASE = 'shared';

export const QUIET = { signal: new AbortController().signal, emit: () => undefined };

export function settingsOf(url: string, localUrl?: string) {
  return makeTestSettings({ HX_ENV: 'development', DATABASE_URL_DEV: url, DATABASE_URL: localUrl });
}

export function targetOf(url: string): EnvironmentTarget {
  return findTarget(settingsOf(url));
}

export function open(url: string, emit: (event: ProgressEvent) => void = QUIET.emit): Promise<Database> {
  return openDatabase({ settings: settingsOf(url), signal: QUIET.signal, emit });
}

/** Opens a database for `work` and closes it afterwards. */
export async function withDatabase<T>(url: string, work: (database: Database) => Promise<T>): Promise<T> {
  const database = await open(url);
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

let migrated: Promise<NeonBench> | undefined;

/** The bench with a migrated development database, which its tests share as they leave nothing in it. */
export function startMigratedBench(): Promise<NeonBench> {
  migrated ??= migrate();
  return migrated;
}

async function migrate(): Promise<NeonBench> {
  const bench = await startNeonBench();
  await createMigrated(bench, DATABASE);
  return bench;
}

/** Makes a migrated development database of the bench. */
export async function createMigrated(bench: NeonBench, name: string): Promise<void> {
  await bench.create(name);
  // Development takes what a local database has applied, and that is one of another server.
  const local = await createTestDatabase();
  try {
    await applyMigrations({ settings: settingsOf(bench.direct(name), local.url), ...QUIET });
  } finally {
    await local.drop();
  }
}

export interface UrlChange {
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  readonly password?: string;
  readonly database?: string;
  /** Values of parameters; null takes one out. */
  readonly query?: Readonly<Record<string, string | null>>;
}

export function changed(url: string, change: UrlChange): string {
  const made = new URL(url);
  if (change.host !== undefined) made.hostname = change.host;
  if (change.port !== undefined) made.port = String(change.port);
  if (change.user !== undefined) made.username = change.user;
  if (change.password !== undefined) made.password = change.password;
  if (change.database !== undefined) made.pathname = `/${change.database}`;
  for (const [name, value] of Object.entries(change.query ?? {})) {
    if (value === null) made.searchParams.delete(name);
    else made.searchParams.set(name, value);
  }
  return made.toString();
}

/** A database's address through a proxy, whose name the server's certificate covers too. */
export function through(proxy: { readonly port: number }, url: string, seconds = 2): string {
  return changed(url, {
    host: directHost('ep-proxy'),
    port: proxy.port,
    query: { connect_timeout: String(seconds) },
  });
}
