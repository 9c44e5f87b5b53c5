import { spawn } from 'node:child_process';
import * as assert from 'uvu/assert';
import { packagePath } from '../../src/base/paths.js';
import { systemClock } from '../../src/base/time.js';
import { Accounts, type Context, Lanes } from '../../src/handlers/context.js';
import { invoke } from '../../src/handlers/index.js';
import { compact } from '../../src/lake/compaction/compact.js';
import type { LakeStorage } from '../../src/lake/storage/storage.js';
import { insertCheck } from '../../src/operational/checks.js';
import type { TestDatabase } from '../database.js';
import { makeTempFolder, makeTestSettings } from '../helpers.js';
import { lakeRow } from '../lake/rows.js';

/** Lanes to a lake that is given, whatever the settings say. */
export class LanesTo extends Lanes {
  constructor(
    private readonly storage: LakeStorage | undefined,
    ...[settings, signal, emit]: ConstructorParameters<typeof Lanes>
  ) {
    super(settings, signal, emit);
  }

  override lake(): Promise<LakeStorage> {
    return this.storage === undefined ? super.lake() : Promise.resolve(this.storage);
  }
}

/** A machine that exports a database: its data folder is its own, and so are its locks. */
export function machineOf(
  database: TestDatabase,
  lake: { readonly storage: LakeStorage } | { readonly settings: Readonly<Record<string, string>> },
): Context {
  const given = 'settings' in lake ? lake.settings : {};
  const settings = makeTestSettings({ ...given, DATABASE_URL: database.url, dataDir: makeTempFolder() });
  const { signal } = new AbortController();
  const emit = () => {};
  const lanes = new LanesTo('storage' in lake ? lake.storage : undefined, settings, signal, emit);
  return { settings, clock: systemClock, signal, emit, lanes, accounts: new Accounts() };
}

/** Makes one file of each day, and removes what it replaces: nobody else reads the lake of a test. */
export async function compactNow({ lanes, settings }: Context): Promise<void> {
  const options = {
    ...{ storage: await lanes.lake(), dataDir: settings.dataDir, environment: 'local' as const },
    ...{ urgency: 'any' as const, graceMs: 0, now: () => new Date(), onWait: () => {} },
  };
  await compact(options);
  await compact(options);
}

/** Fails unless the lake holds what was exported of the database, value by value, and each run once. */
export async function assertRight(context: Context, about: string): Promise<void> {
  const { is_right, problems, chain, days } = await invoke('exportVerify', {}, context);
  assert.equal(problems.slice(0, 3), [], about);
  assert.equal(chain, [], about);
  assert.ok(is_right, about);
  assert.ok(days.length > 0, about);
}

/** Lets tests change checks, as nothing of hx does to stored ones. */
export async function unguard({ sql }: TestDatabase): Promise<void> {
  await sql`alter table checks disable trigger all`;
}

/** Changes the checks that a condition chooses: each is a new revision, of this transaction. */
export async function change({ sql }: TestDatabase, where: string): Promise<void> {
  await sql.unsafe(
    `update checks set revision = revision + 1, pqs = revision, xid = pg_current_xact_id() where ${where}`,
  );
}

/** Stores checks over the first days of November, one a day in turn. */
export async function store(context: Context, first: number, count: number, days = 8): Promise<void> {
  const database = await context.lanes.database();
  await database.write(async (sql) => {
    for (let number = first; number < first + count; number += 1) {
      const created_at = new Date(Date.UTC(2026, 10, 1 + (number % days), 12));
      const row = lakeRow(number, { created_at });
      const { lane: _lane, revision: _revision, deleted_at: _deleted, ...check } = row;
      const cacheKey = `${check.config_hash.slice(0, 56)}${String(number).padStart(8, '0')}`;
      await insertCheck(sql, check, { cacheKey, requestId: null });
    }
  });
}

/** Starts a command as a process of its own. */
export function startHx(argv: readonly string[], env: Readonly<Record<string, string>>) {
  return startScript('entry.ts', argv, env);
}

/** Starts a script of the tests as a process of its own. */
export function startScript(
  name: string,
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
) {
  const child = spawn(process.execPath, ['--import', 'tsx', packagePath('test', name), ...argv], {
    cwd: packagePath(),
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { child, ended, said: () => stderr };
}
