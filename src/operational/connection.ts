import type { Sql, TransactionSql } from 'postgres';
import type { Environment } from '../base/environments.js';
import { HxError } from '../base/errors.js';
import { connect, END_TIMEOUT_SECONDS, type OpenOptions } from './connect.js';
import { checkIdentity, type Identity, readIdentity } from './identity.js';
import { describeLink, type Link } from './link.js';
import { checkTaken, taking } from './roles.js';
import { pendingNumbers } from './schema/ledger.js';
import { openSession, type Queryable } from './session.js';
import { type EnvironmentTarget, findTarget } from './target.js';
import { translateDatabaseError } from './translate.js';

/** Connections of one process; Neon's pooled endpoint gives out thousands, a small local server a hundred. */
const POOL_SIZE = 10;
/** Limits of every transaction of ours; nothing that hx does in one takes longer. */
const STATEMENT_TIMEOUT_MS = 30_000;
const LOCK_TIMEOUT_MS = 10_000;
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 60_000;

/**
 * The operational database of one environment. Rows come as the driver reads them: timestamps as `Date`,
 * numeric and bigint as text, jsonb as values.
 */
export interface Database {
  readonly environment: Environment;
  /** UUID of this very database: a copy that was claimed, or one made anew, has another. */
  readonly instance: string;
  /** How it is connected. */
  readonly link: Link;
  /** For what neither `read` nor `write` can do; both translate errors. */
  readonly sql: Sql;
  /** Runs `work` in one transaction that declares the environment, as the application. It is not run twice. */
  write<T>(work: (sql: TransactionSql) => Promise<T>): Promise<T>;
  /** Runs queries that change nothing. */
  read<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  /** Runs queries that all see one moment, as the role of exports; nothing can be written. */
  snapshot<T>(work: (sql: TransactionSql) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/**
 * Connects to the chosen environment's database and makes sure that it is that environment's and up to date.
 * @throws HxError `unavailable` when nothing answers or migrations are pending, `configuration` for a missing
 * connection string, `credentials` for a wrong password, `refused` for another environment's database.
 */
export async function openDatabase({ settings, signal, emit }: OpenOptions): Promise<Database> {
  const target = findTarget(settings);
  const sql = await connect(target, { max: POOL_SIZE, applicationName: 'hx' }, signal, emit);
  try {
    const { instance } = await checkReady(sql, target.environment);
    return new PostgresDatabase(target, sql, instance);
  } catch (error) {
    await sql.end({ timeout: END_TIMEOUT_SECONDS });
    throw translateDatabaseError(error, target.errors);
  }
}

async function checkReady(sql: Sql, environment: Environment): Promise<Identity> {
  const identity = await readIdentity(sql);
  if (identity !== undefined) checkIdentity(identity, environment);
  const pending = await pendingNumbers(sql);
  if (identity !== undefined && pending.length === 0) return identity;
  const missing =
    identity === undefined
      ? 'has no tables yet'
      : `lacks ${pending.length} ${pending.length === 1 ? 'migration' : 'migrations'}`;
  throw new HxError('unavailable', `The ${environment} database ${missing}.`, {
    hint: environment === 'local' ? 'hx migrate' : `hx migrate --env ${environment}`,
    facts: { pending },
  });
}

/**
 * Declares the environment and the limits of a transaction and acts as the application's role in it, for this
 * transaction only: poolers share sessions, so another client's temporary table must not stand before ours either.
 * @throws HxError `refused` when the login may not act as the application.
 */
export async function declareTransaction(sql: Queryable, environment: Environment): Promise<void> {
  const [row] = await sql`
    select set_config('hx.env', ${environment}, true),
      set_config('search_path', 'public, pg_temp', true),
      set_config('statement_timeout', ${String(STATEMENT_TIMEOUT_MS)}, true),
      set_config('lock_timeout', ${String(LOCK_TIMEOUT_MS)}, true),
      set_config('idle_in_transaction_session_timeout', ${String(IDLE_IN_TRANSACTION_TIMEOUT_MS)}, true),
      ${taking(sql, 'hx_app')}`;
  checkTaken(row, 'hx_app');
}

class PostgresDatabase implements Database {
  readonly environment: Environment;
  readonly instance: string;
  readonly link: Link;
  readonly sql: Sql;
  private readonly target: EnvironmentTarget;

  constructor(target: EnvironmentTarget, sql: Sql, instance: string) {
    this.environment = target.environment;
    this.instance = instance;
    this.link = describeLink(target, sql);
    this.target = target;
    this.sql = sql;
  }

  write<T>(work: (sql: TransactionSql) => Promise<T>): Promise<T> {
    return this.transact(this.sql, '', async (sql) => {
      await declareTransaction(sql, this.environment);
      return work(sql);
    });
  }

  async snapshot<T>(work: (sql: TransactionSql) => Promise<T>): Promise<T> {
    // A statement of an export may take long, and the server is silent meanwhile: other sessions take it for lost.
    const session = await openSession(this.target, { max: 1, applicationName: 'hx', pinned: true });
    try {
      return await this.transact(session, 'isolation level repeatable read read only', async (sql) => {
        const [row] = await sql`select ${taking(sql, 'hx_export')}`;
        checkTaken(row, 'hx_export');
        return work(sql);
      });
    } finally {
      await session.end({ timeout: END_TIMEOUT_SECONDS });
    }
  }

  read<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    return this.translating(() => work(this.sql));
  }

  private async transact<T>(
    session: Sql,
    mode: string,
    work: (sql: TransactionSql) => Promise<T>,
  ): Promise<T> {
    // The driver's own type would unwrap arrays of promises, which `work` does not return.
    let result: { readonly value: T } | undefined;
    await this.translating(() =>
      session.begin(mode, async (sql) => {
        result = { value: await work(sql) };
      }),
    );
    if (result === undefined) throw new HxError('bug', 'A transaction ended without a result.');
    return result.value;
  }

  async close(): Promise<void> {
    await this.sql.end({ timeout: END_TIMEOUT_SECONDS });
  }

  private async translating<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw translateDatabaseError(error, this.target.errors);
    }
  }
}
