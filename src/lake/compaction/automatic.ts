import type { Environment } from '../../base/environments.js';
import { toHxError } from '../../base/errors.js';
import { liveDays } from '../catalog/live-files.js';
import { readManifest } from '../catalog/manifest.js';
import type { LakeStorage } from '../storage/storage.js';
import { MANY_FILES } from './plan.js';

export interface AutomaticOptions {
  readonly storage: LakeStorage;
  /** Where the lock is, and what exceeds the memory. */
  readonly dataDir: string;
  readonly now: () => Date;
  readonly signal: AbortSignal;
  /** Is told why a compaction failed: nothing else fails by it. */
  readonly onFailure: (message: string) => void;
  /** Is called after each compaction. */
  readonly onCompacted?: () => Promise<void>;
}

/** What this writer did to a day. */
interface CountedDay {
  added: number;
  /** How many more files may be added before the day is looked at again. */
  left: number;
}

/** Compacts by itself, beside the writer's work: it counts what is added, and looks when it could be many. */
export class AutomaticCompaction {
  private readonly options: AutomaticOptions;
  private readonly days = new Map<string, CountedDay>();
  private running: Promise<void> | undefined;

  constructor(options: AutomaticOptions) {
    this.options = options;
  }

  /** Says that a file was added to a day. Returns at once. */
  added(environment: Environment, day: string): void {
    const key = `${environment}/dt=${day}`;
    const counted = this.days.get(key) ?? { added: 0, left: 1 };
    this.days.set(key, counted);
    counted.added += 1;
    counted.left -= 1;
    if (counted.left > 0 || this.running !== undefined) return;
    this.running = this.look(environment, day, counted).finally(() => {
      this.running = undefined;
    });
  }

  /** Waits for what runs. */
  async settle(): Promise<void> {
    await this.running;
  }

  private async look(environment: Environment, day: string, counted: CountedDay): Promise<void> {
    const { storage, dataDir, now, signal, onFailure } = this.options;
    try {
      let small = await this.countSmall(environment, day);
      // With the first file of a day those before it are over; several may come at once.
      const days = small <= counted.added ? undefined : [day];
      if (days === undefined || small > MANY_FILES) {
        const { compact } = await import('./compact.js');
        const done = await compact({
          ...{ storage, dataDir, environment, days, now, signal },
          urgency: 'many',
          isGentle: true,
        });
        if (done !== undefined && done.days.length > 0) await this.options.onCompacted?.();
        small = await this.countSmall(environment, day);
      }
      counted.left = Math.max(1, MANY_FILES + 1 - small);
    } catch (error) {
      counted.left = MANY_FILES;
      if (!signal.aborted) onFailure(describeFailure(environment, error));
    }
  }

  /** How many files of a day are not compacted yet. */
  private async countSmall(environment: Environment, day: string): Promise<number> {
    const { storage } = this.options;
    const folder = `${environment}/dt=${day}/`;
    const stored = await storage.list(folder);
    const small = stored.filter(({ name }) => !name.startsWith('c-', folder.length));
    if (small.length <= MANY_FILES) return small.length;
    const { manifest } = await readManifest(storage, environment);
    const partitions = [{ day, names: small.map(({ name }) => name.slice(folder.length)) }];
    const live = liveDays({ environment, manifest, partitions }).find((found) => found.day === day);
    const groups = live?.groups.filter(({ kind }) => kind !== 'c') ?? [];
    return groups.reduce((sum, { names }) => sum + names.length, 0);
  }
}

/** A line for whoever waits for something else: what failed, that nothing is lost, and what to do. */
export function describeFailure(environment: string, error: unknown): string {
  const { message } = toHxError(error);
  return `${message} The lake is as it was; run hx export compact --env ${environment} when that is mended.`;
}
