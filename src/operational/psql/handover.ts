/** Hands one piece at a time from a producer that can wait to a consumer that asks. */
export class Handover<Piece> {
  private piece: Piece | undefined;
  private ended = false;
  private failure: { readonly error: unknown } | undefined;
  private wakeConsumer: () => void = () => {};
  private releaseProducer: (goOn: boolean) => void = () => {};

  /** Offers a piece; resolves once the next one is wanted, with false when none is wanted any more. */
  offer(piece: Piece): Promise<boolean> {
    if (this.ended) return Promise.resolve(false);
    this.piece = piece;
    this.wakeConsumer();
    return new Promise((resolve) => {
      this.releaseProducer = resolve;
    });
  }

  end(): void {
    this.ended = true;
    this.wakeConsumer();
  }

  fail(error: unknown): void {
    this.failure = { error };
    this.end();
  }

  /** The consumer wants no more. */
  stop(): void {
    this.ended = true;
    this.piece = undefined;
    this.releaseProducer(false);
    this.wakeConsumer();
  }

  /** The next piece; undefined at the end. @throws what the producer failed of. */
  async next(): Promise<Piece | undefined> {
    this.releaseProducer(true);
    this.releaseProducer = () => {};
    while (this.piece === undefined && !this.ended) {
      await new Promise<void>((resolve) => {
        this.wakeConsumer = resolve;
      });
    }
    const { piece } = this;
    this.piece = undefined;
    if (piece === undefined && this.failure !== undefined) throw this.failure.error;
    return piece;
  }
}
