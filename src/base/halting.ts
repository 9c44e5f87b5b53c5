/**
 * Waits for work that cannot always be stopped. `halt` rejects whoever waits at once; the work itself goes on
 * unheard until it is over.
 */
export class Halting {
  private readonly pieces = new Set<Piece>();

  /** What the work gives, or the reason of a halt, whichever comes first. */
  wait<T>(work: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const over = work.then(
        () => undefined,
        () => undefined,
      );
      const piece: Piece = { reject, over };
      this.pieces.add(piece);
      void over.then(() => this.pieces.delete(piece));
      work.then(resolve, reject);
    });
  }

  halt(reason: unknown): void {
    for (const { reject } of this.pieces) reject(reason);
  }

  get isIdle(): boolean {
    return this.pieces.size === 0;
  }

  /** Resolves when all work is over, heard or not. */
  async idle(): Promise<void> {
    while (!this.isIdle) await Promise.all([...this.pieces].map(({ over }) => over));
  }
}

interface Piece {
  readonly reject: (reason: unknown) => void;
  readonly over: Promise<void>;
}
