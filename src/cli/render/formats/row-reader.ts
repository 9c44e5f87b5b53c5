/** Hands out rows in the numbers asked for, whatever the chunks' sizes. */
export class RowReader {
  private readonly iterator: AsyncIterator<unknown[][]>;
  private pending: unknown[][] = [];
  private position = 0;
  private started = false;
  private ended = false;

  constructor(chunks: AsyncIterable<unknown[][]>) {
    this.iterator = chunks[Symbol.asyncIterator]();
  }

  /** Up to `count` rows; fewer only at the end. */
  async take(count: number): Promise<unknown[][]> {
    const rows: unknown[][] = [];
    while (rows.length < count) {
      if (this.position >= this.pending.length) {
        if (this.ended) break;
        this.started = true;
        const next = await this.iterator.next();
        this.ended = next.done === true;
        this.pending = next.done ? [] : next.value;
        this.position = 0;
        continue;
      }
      const end = this.position + count - rows.length;
      const part = this.pending.slice(this.position, end);
      this.position += part.length;
      rows.push(...part);
    }
    return rows;
  }

  /** Puts rows back, to be handed out before all others. */
  putBack(rows: unknown[][]): void {
    this.pending = [...rows, ...this.pending.slice(this.position)];
    this.position = 0;
  }

  /** What is left, as chunks. */
  async *rest(chunkRows = 1_000): AsyncGenerator<unknown[][]> {
    try {
      for (let rows = await this.take(chunkRows); rows.length > 0; rows = await this.take(chunkRows))
        yield rows;
    } finally {
      await this.close();
    }
  }

  async close(): Promise<void> {
    if (this.ended) return;
    this.ended = true;
    // A generator that has not begun runs none of its clean-up when it is told to return.
    if (!this.started) await this.iterator.next();
    await this.iterator.return?.();
  }
}
