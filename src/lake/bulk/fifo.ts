import { execFile } from 'node:child_process';
import { close, constants, open } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { systemCode } from '../../base/errors.js';
import { sleep } from '../../base/time.js';

const openFile = promisify(open);
const closeFile = promisify(close);
const run = promisify(execFile);

/** How often a writer looks whether somebody reads. */
const POLL_MS = 1;
/** How often a reader is let go of that may not have begun to wait yet. */
const HANG_UP_EVERY_MS = 20;

/** A pipe with a name, by which DuckDB reads a stream as if it were a file. */
export interface Fifo {
  readonly path: string;
  /**
   * Writes into the pipe, once somebody has opened it to read, and ends it.
   * @throws whatever the source throws; EPIPE when the reader goes; the signal's reason.
   */
  send(source: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>;
  /** Once nothing is sent any more: lets go of a reader that waits for a first writer, until it has ended. */
  hangUp(sent: Promise<void>, reading: Promise<unknown>): Promise<void>;
  remove(): Promise<void>;
}

/** Pipes are made by a process, which takes longer than many of them do. */
const MADE_AT_ONCE = 32;

/** Pipes in a folder, each for one stream. */
export class Fifos {
  private readonly folder: string;
  private unused: string[] = [];
  private made = 0;

  /** @param folder is there, is ours alone, and goes with the pipes in it. */
  constructor(folder: string) {
    this.folder = folder;
  }

  async next(): Promise<Fifo> {
    const path = this.unused.pop() ?? (await this.make());
    return {
      path,
      send: (source, signal) => send(path, source, signal),
      hangUp: (sent, reading) => hangUp(path, sent, reading),
      remove: () => rm(path, { force: true }),
    };
  }

  private async make(): Promise<string> {
    const names = Array.from({ length: MADE_AT_ONCE }, (_, index) => `rows-${this.made + index}.csv`);
    const [first = '', ...others] = names.map((name) => join(this.folder, name));
    await run('mkfifo', ['-m', '600', first, ...others]);
    this.made += MADE_AT_ONCE;
    this.unused = others;
    return first;
  }
}

async function send(path: string, source: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
  const descriptor = await openWhenRead(path, signal);
  const sink = new Socket({ fd: descriptor, readable: false, writable: true, signal });
  const closed = new Promise<void>((resolve, reject) => {
    sink.on('error', reject);
    sink.on('close', () => resolve());
  });
  closed.catch(() => undefined);
  try {
    for await (const chunk of source) {
      if (!sink.write(chunk)) await drained(sink);
    }
    sink.end();
    await closed;
  } finally {
    sink.destroy();
  }
}

/** Without a reader a pipe cannot be opened to write without blocking; and what is written before one comes may be lost. */
async function openWhenRead(path: string, signal: AbortSignal): Promise<number> {
  for (;;) {
    try {
      const descriptor = await openFile(path, constants.O_WRONLY | constants.O_NONBLOCK);
      if (!signal.aborted) return descriptor;
      await closeFile(descriptor);
      signal.throwIfAborted();
    } catch (error) {
      if (systemCode(error) !== 'ENXIO') throw error;
      await sleep(POLL_MS, signal);
    }
  }
}

async function hangUp(path: string, sent: Promise<void>, reading: Promise<unknown>): Promise<void> {
  let isRead = true;
  const ended = reading.then(
    () => undefined,
    () => undefined,
  );
  void ended.then(() => {
    isRead = false;
  });
  await Promise.race([sent, ended]);
  for (;;) {
    await Promise.race([ended, sleep(HANG_UP_EVERY_MS)]);
    if (!isRead) return;
    await closeFile(await openFile(path, constants.O_RDWR | constants.O_NONBLOCK));
  }
}

function drained(sink: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error) => {
      sink.off('drain', settle).off('close', failed);
      if (error === undefined) resolve();
      else reject(error);
    };
    const failed = () => settle(new Error('the reader of the pipe has gone'));
    if (sink.destroyed) failed();
    else sink.once('drain', settle).once('close', failed);
  });
}
