import { setImmediate } from 'node:timers/promises';

/** Commits what arrives in the order of its arrival, one commit at a time; what arrives together goes into one. */
export class Journal<Item> {
  private readonly commit: (items: readonly Item[]) => Promise<void>;
  private queue: Item[] = [];
  private running: Promise<void> | undefined;
  private failure: { error: unknown } | undefined;

  constructor(commit: (items: readonly Item[]) => Promise<void>) {
    this.commit = commit;
  }

  /** @throws what an earlier commit threw: there is no point in paying for answers that cannot be kept. */
  add(item: Item): void {
    if (this.failure !== undefined) throw this.failure.error;
    this.queue.push(item);
    this.running ??= this.drain();
  }

  /** Resolves when everything added is committed. */
  async flushed(): Promise<void> {
    await this.running;
    if (this.failure !== undefined) throw this.failure.error;
  }

  private async drain(): Promise<void> {
    try {
      // Answers that were ready at once share a commit: waiting for the disk once for each would take most of a sweep.
      await setImmediate();
      while (this.queue.length > 0) await this.commit(this.queue.splice(0));
    } catch (error) {
      this.failure = { error };
    } finally {
      this.running = undefined;
    }
  }
}
