/**
 * Waits for work that cannot always be stopped. `halt` rejects whoever waits at once; the work itself goes on
 * unheard until it is over.
 */
export class Halting {
  private reject: ((reason: unknown) => void) | undefined;
  private working: Promise<unknown> = Promise.resolve();

  /** What the work gives, or the reason of a halt, whichever comes first. One piece of work at a time. */
  wait<T>(work: Promise<T>): Promise<T> {
    this.working = work.catch(() => undefined);
    return new Promise<T>((resolve, reject) => {
      this.reject = reject;
      work.then(resolve, reject);
    });
  }

  halt(reason: unknown): void {
    this.reject?.(reason);
  }

  /** Resolves when the work is over, heard or not. */
  async idle(): Promise<void> {
    await this.working;
  }
}
