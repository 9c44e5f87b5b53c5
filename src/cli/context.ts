import type { BaseContext } from 'clipanion';

/** What the command line gets from its process; tests pass in-memory streams and their own environment. */
export interface CliContext extends BaseContext {
  /** The folder that relative paths and `.env` files refer to. */
  readonly folder: string;
  /** Aborted by the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
}

/** Whether a stream is a terminal. */
export function isTerminal(stream: unknown): boolean {
  return typeof stream === 'object' && stream !== null && 'isTTY' in stream && stream.isTTY === true;
}

/** Columns of a terminal stream, 80 where it does not say. */
export function columnsOf(stream: unknown): number {
  if (typeof stream === 'object' && stream !== null && 'columns' in stream) {
    const { columns } = stream;
    if (typeof columns === 'number' && columns > 0) return columns;
  }
  return 80;
}
