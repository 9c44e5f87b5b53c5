import { HxError, messageOf, systemCode } from '../../base/errors.js';
import { openSession } from '../session.js';
import { DATABASE_NAME } from './cluster.js';

/** SQLSTATEs of a server that is there but takes no connections yet, or no longer. */
const NOT_YET = new Set(['57P01', '57P02', '57P03']);

/**
 * Whether a local server answers a query.
 * @throws HxError `conflict` when it answers with anything but "not yet", a wrong password for one.
 */
export async function isAnswering(url: string): Promise<boolean> {
  const sql = await openSession(localTarget(url), { max: 1, applicationName: 'hx db' });
  try {
    await sql`select 1`;
    return true;
  } catch (error) {
    const answered = error instanceof Error && error.name === 'PostgresError';
    if (!answered || NOT_YET.has(systemCode(error) ?? '')) return false;
    throw new HxError('conflict', `The server on ${new URL(url).host} answers: ${messageOf(error)}.`, {
      cause: error,
      hint: 'If its password was changed, remove server.json beside the cluster and run hx db up, which sets a new one.',
    });
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** Makes the database of hx where it is missing. */
export async function ensureDatabase(url: string): Promise<void> {
  const sql = await openSession(localTarget(url), { max: 1, applicationName: 'hx db' });
  try {
    const found = await sql`select 1 from pg_catalog.pg_database where datname = ${DATABASE_NAME}`;
    if (found.length === 0) await sql.unsafe(`create database ${DATABASE_NAME}`);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

function localTarget(url: string) {
  return { url, setting: 'the local server', plainAllowed: true };
}
