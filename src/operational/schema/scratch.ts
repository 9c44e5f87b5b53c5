import type { Sql } from 'postgres';
import type { Settings } from '../../base/config.js';
import { HxError, systemCode } from '../../base/errors.js';
import { uuidv7 } from '../../base/ids.js';
import { type OpenOptions, withDirectSession } from '../connect.js';
import type { Target } from '../session.js';
import { findTarget } from '../target.js';

const PREFIX = 'hx_scratch_';
const INSUFFICIENT_PRIVILEGE = '42501';
/** Nobody works on a scratch database for so long; what is older was left behind by a killed process. */
const LEFT_OVER_AFTER_MS = 3_600_000;

/**
 * Makes an empty database on the local server for `work`, and drops it afterwards, whatever became of the work.
 * @param work gets the settings under which hx takes the database for the local one.
 * @throws HxError `unavailable` when there is no local server, `refused` when its login may make no databases, and
 * what `work` throws.
 */
export async function withScratchDatabase<T>(
  options: OpenOptions,
  work: (settings: Settings) => Promise<T>,
): Promise<T> {
  const settings = options.settings.of('local');
  const local = findLocal(settings);
  const name = `${PREFIX}${uuidv7(new Date()).replaceAll('-', '')}`;
  return withDirectSession({ ...options, settings }, { applicationName: 'hx scratch' }, async (sql) => {
    await dropLeftOvers(sql, new Date());
    options.signal.throwIfAborted();
    // Unlike template1, template0 holds nothing that somebody added.
    await sql.unsafe(`create database ${name} template template0`).catch(async (error: unknown) => {
      throw systemCode(error) === INSUFFICIENT_PRIVILEGE ? await mayMakeNone(sql) : error;
    });
    try {
      return await work(settings.of('local', { DATABASE_URL: urlOf(local, name) }));
    } finally {
      // Whoever interrupts gets the database dropped first; only a kill leaves it behind.
      await sql.unsafe(`drop database if exists ${name} with (force)`);
    }
  });
}

async function mayMakeNone(sql: Sql): Promise<HxError> {
  const [row] = await sql<{ login: string; quoted: string }[]>`
    select session_user::text as login, quote_ident(session_user) as quoted`;
  return new HxError(
    'refused',
    `The migrations are replayed in a database of their own, and the login ${row?.login} may make none.`,
    {
      hint: `Use a login that may on the local server, or have an administrator run: ALTER ROLE ${row?.quoted} CREATEDB;`,
    },
  );
}

function findLocal(settings: Settings): Target {
  try {
    return findTarget(settings);
  } catch (error) {
    if (!(error instanceof HxError)) throw error;
    const { code, message, hint, facts } = error;
    const why = `The migrations would be replayed on the local server. ${message}`;
    throw new HxError(code, why, { cause: error, hint, facts });
  }
}

function urlOf(target: Target, name: string): string {
  const url = new URL(target.url);
  url.pathname = `/${name}`;
  // Nothing of it has to survive the machine.
  url.searchParams.set('options', '-c synchronous_commit=off');
  return url.toString();
}

async function dropLeftOvers(sql: Sql, now: Date): Promise<void> {
  const databases = await sql<{ name: string }[]>`
    select datname as name from pg_database d
    where starts_with(datname, ${PREFIX})
      and not exists (select from pg_stat_activity a where a.datid = d.oid)`;
  for (const { name } of databases) {
    if (!/^hx_scratch_[0-9a-f]{32}$/.test(name)) continue;
    // Its name begins with when it was made, as every UUID of version 7 does.
    const madeMs = Number.parseInt(name.slice(PREFIX.length, PREFIX.length + 12), 16);
    if (now.getTime() - madeMs < LEFT_OVER_AFTER_MS) continue;
    // Another process may have been faster, or another login owns it: then it is not ours to drop.
    await sql.unsafe(`drop database if exists ${name}`).catch(() => undefined);
  }
}
