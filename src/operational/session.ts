import { existsSync, readFileSync } from 'node:fs';
import type { ISql, Options, Sql } from 'postgres';
import { HxError, messageOf } from '../base/errors.js';
import { guardTransactions } from './transactions.js';

/** What can run a query: a pool or a transaction. */
export type Queryable = ISql<Record<never, never>>;

/** A database's address, and the setting it came from, which is what messages name. */
export interface Target {
  readonly url: string;
  readonly setting: string;
  /** Whether a server without TLS may be beyond this machine: a container next door, never Neon. */
  readonly plainAllowed: boolean;
}

export interface SessionOptions {
  /** Connections at most. */
  readonly max: number;
  readonly applicationName: string;
  /** Never let go of the connection by itself: it holds a session lock. */
  readonly pinned?: boolean;
}

/** Neon suspends a branch that nobody uses; waking it takes a few seconds. */
const CONNECT_TIMEOUT_SECONDS = 15;
const IDLE_TIMEOUT_SECONDS = 60;

/**
 * The one call of the driver. Nothing is sent before the first query.
 * @throws HxError `configuration` for a connection string that cannot be used.
 */
export async function openSession(target: Target, options: SessionOptions): Promise<Sql> {
  const { default: postgres } = await import('postgres');
  return guardTransactions(postgres(driverOptions(target, options)));
}

/** The driver's options of a connection string, each set so that none comes from PG* variables. */
export function driverOptions(target: Target, options: SessionOptions): Options<Record<string, never>> {
  const url = parseDatabaseUrl(target);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const startup = url.searchParams.get('options');
  return {
    // The driver would split an IPv6 address at its colons.
    host: [host] as unknown as string,
    port: [Number(url.port || 5432)] as unknown as number,
    database: decodeURIComponent(url.pathname.slice(1)) || decodeURIComponent(url.username),
    username: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    ssl: tlsOptions(url, host, target),
    max: options.max,
    // A pooler hands the next transaction to another backend, which has not prepared our statements.
    prepare: !isPooled(host),
    connect_timeout: CONNECT_TIMEOUT_SECONDS,
    ...(options.pinned === true
      ? { idle_timeout: 0, max_lifetime: null }
      : { idle_timeout: IDLE_TIMEOUT_SECONDS }),
    // By default the driver prints notices to standard output.
    onnotice: () => undefined,
    connection: {
      application_name: options.applicationName,
      ...(startup === null ? {} : { options: startup }),
    },
  };
}

/**
 * Reads a connection string.
 * @throws HxError `configuration` naming the setting, never the string.
 */
export function parseDatabaseUrl(target: Target): URL {
  const problem = (what: string, cause?: unknown) =>
    new HxError('configuration', `${target.setting} ${what}.`, {
      cause,
      hint: 'Write it as postgres://user:password@host:port/database.',
    });
  let url: URL;
  try {
    url = new URL(target.url);
  } catch {
    throw problem('is not a connection string');
  }
  if (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:')
    throw problem('is not a Postgres address');
  if (url.hostname === '') throw problem('names no host');
  if (url.username === '') throw problem('names no user');
  return url;
}

/**
 * TLS by where the server is: on this machine only when asked for, elsewhere always and verified. In this
 * driver `sslmode=require` would accept any certificate, so every mode but `disable` means verify-full.
 */
function tlsOptions(url: URL, host: string, target: Target): false | Record<string, unknown> {
  const mode = url.searchParams.get('sslmode');
  if (mode === 'disable' || (mode === null && isLoopback(host))) {
    if (isLoopback(host) || target.plainAllowed) return false;
    throw new HxError(
      'configuration',
      `${target.setting} switches TLS off for a server beyond this machine.`,
      {
        hint: 'Take sslmode=disable out of it.',
      },
    );
  }
  if (isLoopback(host) && (mode === 'prefer' || mode === 'allow')) return false;
  const file = url.searchParams.get('sslrootcert');
  if (file === null || file === 'system') return { rejectUnauthorized: true };
  if (!existsSync(file)) {
    throw new HxError('configuration', `${target.setting}: there is no certificate file ${file}.`, {
      hint: 'Correct sslrootcert, or leave it out to use the system certificates.',
    });
  }
  try {
    return { rejectUnauthorized: true, ca: readFileSync(file, 'utf8') };
  } catch (error) {
    throw new HxError('configuration', `Cannot read ${file}: ${messageOf(error)}`, { cause: error });
  }
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** Neon names its pooled endpoints so; session locks and prepared statements do not survive there. */
export function isPooled(host: string): boolean {
  return /^[^.]+-pooler(\.|$)/.test(host);
}

/** The direct endpoint behind a pooled one. */
export function directUrl(target: Target): Target {
  const url = parseDatabaseUrl(target);
  if (!isPooled(url.hostname)) return target;
  url.hostname = url.hostname.replace(/^([^.]+)-pooler/, '$1');
  return { ...target, url: url.toString() };
}
