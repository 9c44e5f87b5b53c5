import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RowReader } from '../../render/formats/row-reader.js';

/** Rows kept for scrolling at most; whoever wants more wants a file or a narrower question. */
const ROW_LIMIT = 100_000;
/** What the kept rows may weigh, in values plus characters of text: some 100 MB. */
const WEIGHT_LIMIT = 30_000_000;
/** What a value weighs by itself. */
const VALUE_WEIGHT = 8;
const ROWS_AT_ONCE = 1_000;

export type BufferState = 'reading' | 'complete' | 'full' | 'failed';

/** The rows of a result as they come in, up to a limit that keeps memory bounded. */
export class RowBuffer {
  readonly rows: unknown[][] = [];
  private readonly reader: RowReader;
  private weight = 0;
  private stopped = false;
  private current: BufferState = 'reading';
  private failure: unknown;

  constructor(reader: RowReader) {
    this.reader = reader;
  }

  get state(): BufferState {
    return this.current;
  }

  /** What the reading failed with. */
  get error(): unknown {
    return this.failure;
  }

  /** Reads until the end, the limit or `stop`; calls `onMore` whenever there are more rows or another state. */
  async fill(onMore: () => void): Promise<void> {
    try {
      while (this.current === 'reading' && !this.stopped) {
        await this.readSome();
        onMore();
        // Gives the keyboard its turn.
        await nextTurn();
      }
    } catch (error) {
      this.failure = error;
      this.current = 'failed';
      onMore();
    } finally {
      await this.reader.close();
    }
  }

  stop(): void {
    this.stopped = true;
  }

  private async readSome(): Promise<void> {
    const wanted = Math.min(ROWS_AT_ONCE, ROW_LIMIT + 1 - this.rows.length);
    const more = await this.reader.take(wanted);
    for (const row of more) {
      if (this.rows.length >= ROW_LIMIT || this.weight > WEIGHT_LIMIT) {
        this.current = 'full';
        return;
      }
      this.rows.push(row);
      this.weight += weightOf(row);
    }
    if (more.length < wanted) this.current = 'complete';
  }
}

function weightOf(value: unknown): number {
  if (typeof value === 'string') return VALUE_WEIGHT + value.length;
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + weightOf(item), VALUE_WEIGHT);
  if (typeof value === 'object' && value !== null) return weightOf(Object.entries(value).flat());
  return VALUE_WEIGHT;
}
