import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import type { TransactionSql } from 'postgres';
import { cancelCopy, cancelQuery } from './cancel.js';

/** Bytes that are handed on at once: the driver hands on row by row, each of which would cost a write. */
const BATCH_BYTES = 256 * 1024;

/**
 * Runs a `COPY ... TO STDOUT` and yields what comes, in batches of whole rows. Whoever stops early, by the signal or
 * by leaving the loop, has the server stop as well, and the connection stays fit for use.
 * @throws the signal's reason, and what the server says.
 */
export async function* copyOut(
  sql: TransactionSql,
  statement: string,
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  signal?.throwIfAborted();
  const query = sql.unsafe(statement);
  let isComing = false;
  let told: Promise<void> | undefined;
  const stop = () => {
    told ??= isComing ? cancelCopy(query) : cancelQuery(query);
  };
  signal?.addEventListener('abort', stop, { once: true });
  try {
    const rows = await query.readable();
    isComing = true;
    yield* batches(rows, stop);
    signal?.throwIfAborted();
  } catch (error) {
    throw signal?.aborted ? signal.reason : error;
  } finally {
    signal?.removeEventListener('abort', stop);
    await told;
  }
}

async function* batches(rows: Readable, stop: () => void): AsyncGenerator<Buffer> {
  const inflow = new Inflow(rows);
  try {
    for (let batch = await inflow.next(); batch !== undefined; batch = await inflow.next()) yield batch;
  } finally {
    if (!inflow.ended) {
      stop();
      await inflow.drain();
    }
    resumeConnection(rows);
  }
}

/**
 * The driver pauses its connection while rows wait to be taken, and resumes it when it is asked for more. Nobody asks
 * at the end, so a connection that is paused then would stay so, and the next statement wait for ever.
 */
function resumeConnection(rows: Readable): void {
  try {
    rows._read(0);
  } catch {
    // The connection is lost, which the next statement will say.
  }
}

/** Collects what a stream brings until it makes a batch, and holds the stream up while nobody asks. */
class Inflow {
  ended = false;
  private readonly stream: Readable;
  private parts: Buffer[] = [];
  private bytes = 0;
  private failure: { readonly error: unknown } | undefined;
  private isDraining = false;
  private wake: () => void = () => undefined;

  constructor(stream: Readable) {
    this.stream = stream;
    stream.on('data', (part: Buffer) => this.take(part));
    stream.on('end', () => this.end());
    stream.on('error', (error) => this.end({ error }));
    stream.on('close', () => this.end());
  }

  /** The next batch; undefined at the end. */
  async next(): Promise<Buffer | undefined> {
    if (this.bytes < BATCH_BYTES) await this.more();
    if (this.failure !== undefined) throw this.failure.error;
    if (this.bytes === 0) return undefined;
    const batch = Buffer.concat(this.parts, this.bytes);
    this.parts = [];
    this.bytes = 0;
    return batch;
  }

  /** Lets go of what still comes: the driver would wait for ever for a stream that is not read to its end. */
  async drain(): Promise<void> {
    this.isDraining = true;
    while (!this.ended) await this.more();
  }

  private async more(): Promise<void> {
    if (this.ended) return;
    const woken = new Promise<void>((resolve) => {
      this.wake = resolve;
    });
    this.stream.resume();
    await woken;
  }

  private take(part: Buffer): void {
    if (this.isDraining) return;
    this.parts.push(part);
    this.bytes += part.length;
    if (this.bytes < BATCH_BYTES) return;
    this.stream.pause();
    this.wake();
  }

  private end(failure?: { readonly error: unknown }): void {
    this.failure ??= failure;
    this.ended = true;
    this.wake();
  }
}

/** A query of the driver, with what it calls when the server reports an error. */
interface CopyInQuery {
  reject(error: unknown): void;
  writable(): Promise<Writable>;
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
  const query = sql.unsafe(statement) as unknown as CopyInQuery;
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
