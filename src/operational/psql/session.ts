import type { Sql } from 'postgres';
import type { Environment } from '../../base/environments.js';
import { HxError } from '../../base/errors.js';
import { cancelQuery } from '../cancel.js';
import { connect, END_TIMEOUT_SECONDS, type OpenOptions } from '../connect.js';
import type { TransactionState } from '../socket.js';
import type { EnvironmentTarget } from '../target.js';
import { findAccess, sessionTarget } from './access.js';
import { statementError } from './failures.js';
import { Handover } from './handover.js';
import { type AnswerColumn, readValue, typeName } from './values.js';

/** Rows that travel at once; the server waits with the others until they are wanted. */
const BATCH_ROWS = 1_000;

/** What a statement answered. */
export interface Answer {
  /** Empty for a statement that returns no rows. */
  readonly columns: readonly AnswerColumn[];
  readonly chunks: AsyncIterable<unknown[][]>;
  /** What the server says it did, `INSERT 5` or `BEGIN`; known once the chunks are read. */
  done(): string;
}

/** A conversation with an environment's database, in one session. Whoever asks for it closes it. */
export interface SqlSession {
  readonly environment: Environment;
  readonly readOnly: boolean;
  readonly serverVersion: string;
  readonly host: string;
  /** What the last answer left the session in. */
  transaction(): TransactionState;
  /**
   * Runs one statement; an abort cancels it on the server.
   * @throws HxError `sql` with the place in the statement, `refused` by a guard, `interrupted`, and `unavailable`
   * without running it when the transaction that it was meant for was lost with its connection.
   */
  run(statement: string, signal: AbortSignal): Promise<Answer>;
  close(): Promise<void>;
}

/**
 * Opens a session with the chosen environment's database, over its direct endpoint.
 * @param onNotice gets what the server notes beside its answers.
 * @throws HxError as findAccess.
 */
export async function openSqlSession(
  open: OpenOptions,
  readOnly: boolean,
  onNotice: (message: string) => void,
): Promise<SqlSession> {
  const { environment, serverVersion, host } = await findAccess(open, readOnly);
  const target = sessionTarget(open, readOnly);
  let transaction: TransactionState = 'none';
  let lost = false;
  const session = {
    ...{ max: 1, applicationName: 'hx db psql', pinned: true, onNotice },
    onTransaction(state: TransactionState) {
      transaction = state;
    },
    onTransactionLost() {
      transaction = 'none';
      lost = true;
    },
  };
  const sql = await connect(target, session, open.signal, open.emit);
  return {
    ...{ environment, readOnly, serverVersion, host },
    transaction: () => transaction,
    async run(statement, signal) {
      if (lost) {
        lost = false;
        throw lostTransaction(target);
      }
      return run(sql, target, statement, signal);
    },
    close: () => sql.end({ timeout: END_TIMEOUT_SECONDS }),
  };
}

/** The driver makes a new connection by itself, where the statement would count at once and for good. */
function lostTransaction({ errors }: EnvironmentTarget): HxError {
  return new HxError(
    'unavailable',
    `The connection to ${errors.database} was lost, and its transaction with it.`,
    { hint: 'Nothing of the transaction stayed, and this statement was not run: begin again.' },
  );
}

/** Rows as the server wrote them, with what the driver knows of them. */
interface RawRows extends ReadonlyArray<readonly (Buffer | null)[]> {
  readonly columns: readonly { readonly name: string; readonly type: number }[] | null;
  /** Set on the last rows alone. */
  readonly command: string | null;
  readonly count: number | null;
}

async function run(
  sql: Sql,
  target: EnvironmentTarget,
  statement: string,
  signal: AbortSignal,
): Promise<Answer> {
  signal.throwIfAborted();
  const rows = new Handover<RawRows>();
  let last: RawRows | undefined;
  const query = sql
    .unsafe(statement)
    .raw()
    .cursor(BATCH_ROWS, async (batch) => {
      const raw = batch as unknown as RawRows;
      // The last rows come with the end as well.
      if (raw.command !== null) return undefined;
      return (await rows.offer(raw)) ? undefined : sql.CLOSE;
    }) as unknown as PromiseLike<RawRows>;
  const onAbort = () => {
    cancelQuery(query);
    rows.stop();
  };
  signal.addEventListener('abort', onAbort, { once: true });
  const ended = query.then(
    async (result) => {
      last = result;
      if (result.length > 0 || result.columns !== null) await rows.offer(result);
      rows.end();
    },
    (error: unknown) => rows.fail(error),
  );
  const translate = (error: unknown) =>
    signal.aborted ? interrupted() : statementError(error, statement, target);
  const first = await rows.next().catch((error: unknown) => {
    signal.removeEventListener('abort', onAbort);
    throw translate(error);
  });
  const columns = (first?.columns ?? []).map(({ name, type }) => ({ name, type: typeName(type) }));
  const read = (batch: RawRows) =>
    batch.map((row) => row.map((value, index) => readValue(value, columns[index]?.type ?? 'TEXT')));
  async function* chunks(): AsyncGenerator<unknown[][]> {
    try {
      for (let batch = first; batch !== undefined; batch = await rows.next()) yield read(batch);
      if (signal.aborted) throw interrupted();
    } catch (error) {
      throw translate(error);
    } finally {
      signal.removeEventListener('abort', onAbort);
      rows.stop();
      // The next statement finds the session free.
      await ended;
    }
  }
  return { columns, chunks: chunks(), done: () => described(last) };
}

function described(last: RawRows | undefined): string {
  return [last?.command, last?.count].filter((part) => part !== null && part !== undefined).join(' ');
}

function interrupted(): HxError {
  return new HxError('interrupted', 'The statement was cancelled.');
}
