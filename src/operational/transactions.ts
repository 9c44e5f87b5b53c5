import type { Sql, TransactionSql } from 'postgres';
import { HxError, systemCode } from '../base/errors.js';
import { CONNECTION_CODES } from './translate.js';

type Work = (sql: TransactionSql) => unknown;
type Begin = (options: string, work: Work) => Promise<unknown>;

/**
 * Makes a pool's transactions survive the loss of their connection. The driver would send the next statement,
 * its own `rollback` included, to a socket that is gone, and that ends the process from within a timer, where
 * nobody can catch it. So once the connection is lost, nothing of its transaction reaches the driver any more,
 * and the caller gets the error that told of the loss.
 */
export function guardTransactions(sql: Sql): Sql {
  const begin = sql.begin.bind(sql) as Begin;
  const guarded = (...args: [Work] | [string, Work]): Promise<unknown> =>
    args.length === 1 ? runGuarded(begin, '', args[0]) : runGuarded(begin, args[0], args[1]);
  sql.begin = guarded as Sql['begin'];
  return sql;
}

async function runGuarded(begin: Begin, options: string, work: Work): Promise<unknown> {
  let over = false;
  let lose: (error: unknown) => void = () => undefined;
  const lost = new Promise<never>((_, reject) => {
    lose = reject;
  });
  const transaction = begin(
    options,
    (sql) =>
      // It stays pending once the connection is lost: settling it would make the driver send a rollback.
      new Promise((resolve, reject) => {
        callWork(
          work,
          closable(sql, () => over),
        ).then(
          (value) => {
            if (!over) resolve(value);
          },
          (error: unknown) => {
            if (isConnectionLost(error)) lose(error);
            else if (!over) reject(error);
          },
        );
      }),
  );
  try {
    return await Promise.race([transaction, lost]);
  } catch (error) {
    over = true;
    if (!isConnectionLost(error)) throw error;
    // The driver tells of the loss before the statement that was under way can tell what it was lost of.
    const told = new Promise<unknown>((resolve) => setImmediate(() => resolve(error)));
    throw await Promise.race([lost.catch((reason: unknown) => reason), told]);
  } finally {
    over = true;
  }
}

async function callWork(work: Work, sql: TransactionSql): Promise<unknown> {
  return work(sql);
}

/** The transaction's handle, which throws instead of sending anything once the transaction is over. */
function closable(sql: TransactionSql, isOver: () => boolean): TransactionSql {
  const check = () => {
    if (!isOver()) return;
    throw new HxError(
      'unavailable',
      'The transaction is over: its connection was lost, or its work went on after it.',
    );
  };
  return new Proxy(sql, {
    apply(target, self, args) {
      check();
      return Reflect.apply(target, self, args);
    },
    get(target, name) {
      check();
      return Reflect.get(target, name);
    },
  });
}

/** A fatal answer is the server's last on a connection. */
function isConnectionLost(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('severity' in error && (error.severity === 'FATAL' || error.severity === 'PANIC')) return true;
  return CONNECTION_CODES.has(systemCode(error) ?? '');
}
