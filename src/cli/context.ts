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

/** Columns of a terminal stream, 80 where it does not say, as one over a serial line or without a window. */
export function columnsOf(stream: unknown): number {
  return sizeOf(stream, 'columns') ?? 80;
}

/** Rows of a terminal stream, 24 where it does not say. */
export function rowsOf(stream: unknown): number {
  return sizeOf(stream, 'rows') ?? 24;
}

function sizeOf(stream: unknown, side: 'columns' | 'rows'): number | undefined {
  const size = (stream as Partial<Record<typeof side, unknown>> | null | undefined)?.[side];
  return typeof size === 'number' && size > 0 ? size : undefined;
}
