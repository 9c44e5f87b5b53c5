import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import type { TransactionSql } from 'postgres';
import { cancelQuery } from '../cancel.js';
import { resumeConnection } from '../copy.js';

/** Rows come from the server one at a time; they are handed on in pieces of about this size. */
const PIECE_BYTES = 65_536;

/** A query of the driver, with what it calls when the server reports an error. */
interface CopyQuery {
  reject(error: unknown): void;
  readable(): Promise<Readable>;
  writable(): Promise<Writable>;
}

/**
 * Runs a COPY ... TO STDOUT and hands its bytes, whole lines, to `consume`, at the pace of the slower side. When
 * `consume` fails or the signal is aborted, the server is told to stop, and the connection stays fit for use.
 * @throws what `consume` throws, the signal's reason, and what the server reports.
 */
export async function copyOut(
  sql: TransactionSql,
  statement: string,
  signal: AbortSignal,
  consume: (piece: Buffer) => Promise<void>,
): Promise<void> {
  signal.throwIfAborted();
  const query = sql.unsafe(statement) as unknown as CopyQuery;
  let stopped: { readonly reason: unknown } | undefined;
  const stop = (reason: unknown) => {
    stopped ??= { reason };
    cancelQuery(query);
  };
  const onAbort = () => stop(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  const batch = new Batch();
  let rows: Readable | undefined;
  try {
    rows = await query.readable();
    // What comes after a stop is read all the same: the server's last word stands behind it.
    for await (const row of rows as AsyncIterable<Buffer>) {
      if (stopped !== undefined || !batch.add(row)) continue;
      await consume(batch.take()).catch(stop);
    }
  } catch (error) {
    throw stopped === undefined ? error : stopped.reason;
  } finally {
    signal.removeEventListener('abort', onAbort);
    if (rows !== undefined) resumeConnection(rows);
  }
  if (stopped !== undefined) throw stopped.reason;
  if (batch.bytes > 0) await consume(batch.take());
}

/** Small buffers that are put together. */
class Batch {
  bytes = 0;
  private rows: Buffer[] = [];

  /** Returns whether there is enough to take. */
  add(row: Buffer): boolean {
    this.rows.push(row);
    this.bytes += row.length;
    return this.bytes >= PIECE_BYTES;
  }

  take(): Buffer {
    const whole = Buffer.concat(this.rows, this.bytes);
    this.rows = [];
    this.bytes = 0;
    return whole;
  }
}

/**
 * Runs a COPY ... FROM STDIN with these bytes, at the pace of the server.
 * @throws what the source throws, the signal's reason, and what the server reports.
 */
export async function copyIn(
  sql: TransactionSql,
  statement: string,
  source: AsyncIterable<Buffer>,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const query = sql.unsafe(statement) as unknown as CopyQuery;
  // Once the last byte is sent, the driver tells nobody of an error (a foreign key is checked only then) but the
  // query itself, whose promise was settled when the copy began.
  const settle = query.reject.bind(query);
  const failed = new Promise<never>((_, reject) => {
    query.reject = (error) => {
      reject(error);
      settle(error);
    };
  });
  failed.catch(() => undefined);
  const target = await query.writable();
  target.on('error', () => undefined);
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  aborted.catch(() => undefined);
  try {
    await Promise.race([feed(source, target), failed, aborted]);
  } catch (error) {
    // It tells the server that the copy failed, which ends the statement.
    target.destroy(error instanceof Error ? error : new Error(String(error)));
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

async function feed(source: AsyncIterable<Buffer>, target: Writable): Promise<void> {
  for await (const piece of source) {
    if (target.destroyed) return;
    if (!target.write(piece)) await once(target, 'drain');
  }
  await new Promise<void>((resolve) => target.end(resolve));
}
