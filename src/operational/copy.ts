import type { Readable } from 'node:stream';
import type { TransactionSql } from 'postgres';

/** Bytes that are handed on at once: the driver hands on row by row, each of which would cost a write. */
const BATCH_BYTES = 256 * 1024;

/**
 * Runs a `COPY ... TO STDOUT` and yields what comes, in batches of whole rows. Whoever stops early has the server
 * stop as well.
 * @throws what the server says.
 */
export async function* copyOut(sql: TransactionSql, statement: string): AsyncGenerator<Buffer> {
  const query = sql.unsafe(statement);
  const rows = await query.readable();
  const inflow = new Inflow(rows);
  try {
    for (let batch = await inflow.next(); batch !== undefined; batch = await inflow.next()) yield batch;
  } finally {
    if (!inflow.ended) {
      query.cancel();
      await inflow.drain();
    }
    resumeConnection(rows);
  }
}

/**
 * The driver pauses its connection while rows wait to be taken, and resumes it when it is asked for more. Nobody asks
 * at the end, so a connection that is paused then would stay so, and the next statement wait for ever.
 */
export function resumeConnection(rows: Readable): void {
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
