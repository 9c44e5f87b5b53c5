import { existsSync, readFileSync } from 'node:fs';
import type { ISql, Options, Sql } from 'postgres';
import { HxError, messageOf } from '../base/errors.js';
import { type ServerAddress, ServerSocket, type SocketOptions } from './socket.js';
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
  /** Never let go of the connection by itself, however long a statement is silent: it holds a session lock. */
  readonly pinned?: boolean;
  /** How long a statement may go without any byte either way, when not pinned. */
  readonly silenceTimeoutMs?: number;
  readonly onTransaction?: SocketOptions['onTransaction'];
  readonly onTransactionLost?: SocketOptions['onTransactionLost'];
  /** Gets what the server notes beside its answers (NOTICE, WARNING); dropped by default. */
  readonly onNotice?: (message: string) => void;
}

/** Neon suspends a branch that nobody uses; waking it takes a few seconds. */
const CONNECT_TIMEOUT_SECONDS = 15;
/** Enough for a suspended branch and for the restart of a server; nobody at a terminal waits longer. */
const CONNECT_DEADLINE_MS = 60_000;
const LONGEST_CONNECT_SECONDS = 3_600;
const IDLE_TIMEOUT_SECONDS = 60;
/** Longer than any statement of ours may take on the server, so that its own word about that comes first. */
const SILENCE_TIMEOUT_MS = 40_000;

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
  const address = serverAddress(target);
  const startup = url.searchParams.get('options');
  const silenceTimeoutMs =
    options.pinned === true ? undefined : (options.silenceTimeoutMs ?? SILENCE_TIMEOUT_MS);
  const driver: Options<Record<string, never>> & { readonly socket: () => ServerSocket } = {
    // The driver would split an IPv6 address at its colons.
    host: [address.host] as unknown as string,
    port: [address.port] as unknown as number,
    socket: () => new ServerSocket(address, { ...options, silenceTimeoutMs }),
    // Our socket has seen to it.
    ssl: false,
    database: decodeURIComponent(url.pathname.slice(1)) || decodeURIComponent(url.username),
    username: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    max: options.max,
    // It would ask for the types of arrays, which hx does not use, with every connection, and one lost meanwhile would
    // end the process: the driver leaves that query's failure to nobody.
    fetch_types: false,
    // A pooler hands the next transaction to another backend, which has not prepared our statements.
    prepare: !isPooled(address.host),
    connect_timeout: CONNECT_TIMEOUT_SECONDS,
    ...(options.pinned === true
      ? { idle_timeout: 0, max_lifetime: null }
      : { idle_timeout: IDLE_TIMEOUT_SECONDS }),
    // By default the driver prints notices to standard output.
    onnotice: (notice) => options.onNotice?.(`${notice['severity']}: ${notice['message']}`),
    connection: {
      application_name: options.applicationName,
      ...(startup === null ? {} : { options: startup }),
    },
  };
  return driver;
}

/** Where a connection string leads, and the TLS that goes with it. */
export function serverAddress(target: Target): ServerAddress {
  const url = parseDatabaseUrl(target);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return { host, port: Number(url.port || 5432), tls: tlsOptions(url, host, target) };
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
 * How long to wait for a server that does not answer yet. `connect_timeout` of the connection string (libpq's name,
 * in seconds) goes before ours.
 * @throws HxError `configuration`.
 */
export function connectDeadlineMs(target: Target): number {
  const given = parseDatabaseUrl(target).searchParams.get('connect_timeout');
  if (given === null) return CONNECT_DEADLINE_MS;
  const seconds = Number(given);
  if (seconds > 0 && seconds <= LONGEST_CONNECT_SECONDS) return seconds * 1_000;
  throw new HxError('configuration', `${target.setting}: connect_timeout=${given} is no number of seconds.`, {
    hint: `Write a number from 1 to ${LONGEST_CONNECT_SECONDS}, or leave it out to wait for ${CONNECT_DEADLINE_MS / 1_000} s.`,
  });
}

/**
 * TLS by where the server is: on this machine only when asked for, elsewhere always and verified. In this
 * driver `sslmode=require` would accept any certificate, so every mode but `disable` means verify-full.
 */
function tlsOptions(url: URL, host: string, target: Target): ServerAddress['tls'] {
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
  if (file === null || file === 'system') return {};
  if (!existsSync(file)) {
    throw new HxError('configuration', `${target.setting}: there is no certificate file ${file}.`, {
      hint: 'Correct sslrootcert, or leave it out to use the system certificates.',
    });
  }
  try {
    return { ca: readFileSync(file, 'utf8') };
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
