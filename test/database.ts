import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres, { type Sql } from 'postgres';
import { loadSettings, type Settings } from '../src/base/config.js';
import { ENVIRONMENTS, type Environment } from '../src/base/environments.js';
import { isAlive } from '../src/base/process-mark.js';
import { claimDatabase } from '../src/operational/identity.js';
import { applyMigrations } from '../src/operational/schema/apply.js';
import { type LocalServer, localReset, localUp } from '../src/operational/server/local.js';

/** The Postgres of this test process: started when a test first needs it, gone with the process. */
export interface TestCluster {
  /** Superuser's connection string of a database. */
  url(database: string): string;
}

const TEMPLATE = 'hx_template';
let cluster: Promise<TestCluster> | undefined;
let databases = 0;

export function testCluster(): Promise<TestCluster> {
  cluster ??= startCluster();
  return cluster;
}

/** Starts an embedded server of its own, which the end of the process takes down however it comes. */
export async function startTestServer(
  dataDir: string,
  settings: readonly string[] = [],
): Promise<LocalServer> {
  const options = { dataDir, signal: new AbortController().signal, emit: () => undefined };
  const server = await localUp({
    ...options,
    engine: 'embedded',
    port: undefined,
    // What a test stores need not survive the machine.
    serverSettings: ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', ...settings],
  });
  process.on('exit', () => killServer(server));
  return server;
}

function killServer({ pid, copies }: LocalServer): void {
  try {
    if (pid !== null) process.kill(pid, 'SIGQUIT');
    // Its children write until they notice; an exit handler can only wait like this.
    while (pid !== null && isAlive(pid)) spawnSync('sleep', ['0.02']);
  } catch {
    // It has ended already.
  }
  if (copies !== null) rmSync(copies, { recursive: true, force: true });
}

async function startCluster(): Promise<TestCluster> {
  const folder = mkdtempSync(join(tmpdir(), 'hx-test-postgres-'));
  // As root, the server runs under another account, which has to get in.
  chmodSync(folder, 0o755);
  const server = await startTestServer(folder);
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const url = (database: string) => (server.url ?? '').replace(/\/[^/]*$/, `/${database}`);
  const admin = connectTo(url('postgres'));
  try {
    await admin.unsafe(`create database ${TEMPLATE}`);
    await applyMigrations({
      settings: settingsFor('local', url(TEMPLATE), folder),
      signal: new AbortController().signal,
      emit: () => undefined,
    });
  } finally {
    await admin.end();
  }
  return { url };
}

export interface TestDatabase {
  readonly environment: Environment;
  readonly url: string;
  /** Settings under which hx uses this database, and nothing else. */
  readonly settings: Settings;
  /** The same as variables, for `runHx(argv, { env })`. */
  readonly variables: Readonly<Record<string, string>>;
  /** A superuser's connections that declare nothing; closed by drop(). */
  readonly sql: Sql;
  /** Drops the database, whoever is connected to it. */
  drop(): Promise<void>;
}

export interface TestDatabaseOptions {
  readonly environment?: Environment;
  /** Leave the copy unclaimed, as a fresh branch or clone is. */
  readonly claimed?: boolean;
  /** An empty database without any migration instead of a copy of the migrated template. */
  readonly empty?: boolean;
}

/** A database of its own for a suite: a copy of the migrated template, claimed for its environment. */
export async function createTestDatabase({
  environment = 'local',
  claimed = true,
  empty = false,
}: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const { url: urlOf } = await testCluster();
  databases += 1;
  const name = `hx_test_${databases}`;
  const admin = connectTo(urlOf('postgres'));
  try {
    await admin.unsafe(`create database ${name} template ${empty ? 'template0' : TEMPLATE}`);
  } finally {
    await admin.end();
  }
  const url = urlOf(name);
  const sql = connectTo(url);
  if (claimed && !empty) await claimDatabase(sql, environment);
  const dataDir = join(tmpdir(), `hx-test-no-data-${process.pid}`);
  return {
    environment,
    url,
    settings: settingsFor(environment, url, dataDir),
    variables: variablesFor(environment, url, dataDir),
    sql,
    async drop() {
      await sql.end({ timeout: 1 });
      const owner = connectTo(urlOf('postgres'));
      await owner.unsafe(`drop database ${name} with (force)`);
      await owner.end();
    },
  };
}

/** A superuser's connections to a database, quiet and without any declaration. */
export function connectTo(url: string): Sql {
  return postgres(url, { max: 2, onnotice: () => undefined });
}

function variablesFor(environment: Environment, url: string, dataDir: string): Record<string, string> {
  return { HX_ENV: environment, [ENVIRONMENTS[environment].urlSetting]: url, HX_DATA_DIR: dataDir };
}

function settingsFor(environment: Environment, url: string, dataDir: string): Settings {
  return loadSettings({ variables: variablesFor(environment, url, dataDir), folder: dataDir });
}

/** Stops a server and removes everything of it. */
export async function removeTestServer(dataDir: string): Promise<void> {
  await localReset({ dataDir, signal: new AbortController().signal, emit: () => undefined });
}
