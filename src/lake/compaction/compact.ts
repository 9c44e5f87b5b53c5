import { join } from 'node:path';
import type { Environment } from '../../base/environments.js';
import { HxError } from '../../base/errors.js';
import { utcDate } from '../../base/time.js';
import { partitionsOf } from '../catalog/lake-listing.js';
import { liveDays } from '../catalog/live-files.js';
import {
  beginManifest,
  hasBegunMeanwhile,
  isCompacted,
  type Manifest,
  NO_MANIFEST,
  type ReadManifest,
  readManifest,
  replaceManifest,
} from '../catalog/manifest.js';
import { Commits } from '../export/commits.js';
import { compactedFileName } from '../files/lake-file.js';
import { SCHEMA_VERSION } from '../files/schema.js';
import { removeLakeLeftOvers } from '../left-overs.js';
import { newSpillFolder } from '../spill.js';
import { lockFile, tryLockFile } from '../storage/file-lock.js';
import type { LakeStorage, OpenedFile, StoredFile } from '../storage/storage.js';
import { lost, overtaken, unmergeable } from './failures.js';
import { type Merger, openMerger } from './merge.js';
import { type DayPlan, highestGeneration, planDays, type Urgency } from './plan.js';

/** How long replaced files stay for those who began to read them: longer than any query takes. */
export const GRACE_MS = 60 * 60 * 1000;

/** How often a waiting compaction looks again. */
const POLL_MS = 100;

/** How many files are fetched side by side where the lake is not local. */
const OPEN_AT_ONCE = 16;

export interface CompactOptions {
  readonly storage: LakeStorage;
  /** Where the lock is, and what exceeds the memory. */
  readonly dataDir: string;
  readonly environment: Environment;
  readonly urgency: Urgency;
  /** UTC dates; all when undefined. */
  readonly days?: readonly string[] | undefined;
  readonly graceMs?: number | undefined;
  /** Whether to leave the machine to others: one thread. */
  readonly isGentle?: boolean;
  readonly now: () => Date;
  readonly signal?: AbortSignal | undefined;
  /** Is called once when another compaction holds the lock; without it a held lock ends the call. */
  readonly onWait?: (() => void) | undefined;
  readonly onDay?: ((day: CompactedDay, done: number, total: number) => void) | undefined;
}

/** A day whose rows are in one file now. */
export interface CompactedDay {
  readonly date: string;
  /** How many files went into it. */
  readonly files: number;
  readonly rows: number;
  /** Below the lake's root; null when no row is left. */
  readonly name: string | null;
  readonly bytes: number;
}

export interface Compaction {
  readonly days: readonly CompactedDay[];
  /** Replaced files that were removed, as their grace was over. */
  readonly removed: number;
  /** Replaced files that are still there for those who began to read them. */
  readonly kept: number;
}

/**
 * Merges the live files of an environment's days into one a day, then removes what earlier compactions replaced.
 * Readers and writers go on meanwhile. When it dies at any moment the lake is as before or as after a day's swap.
 * @returns undefined when another compaction of the environment is at work and `onWait` is not given.
 * @throws HxError `failed` naming the day that cannot be merged; days before it stay merged.
 */
export async function compact(options: CompactOptions): Promise<Compaction | undefined> {
  const { dataDir, environment, signal, onWait } = options;
  const path = join(dataDir, 'exports', environment, '_hx', 'compact.lock');
  const release =
    onWait === undefined
      ? await tryLockFile(path)
      : await lockFile(path, { pollMs: POLL_MS, onWait, ...(signal === undefined ? {} : { signal }) });
  if (release === undefined) return undefined;
  try {
    return await new Compactor(options).run();
  } finally {
    release();
  }
}

/** One compaction of an environment, under its lock. */
class Compactor {
  private readonly options: CompactOptions;
  private manifest: ReadManifest = { manifest: NO_MANIFEST, tag: undefined };
  private merger: Merger | undefined;

  constructor(options: CompactOptions) {
    this.options = options;
  }

  async run(): Promise<Compaction> {
    const { storage, dataDir, environment, urgency, days, now, onDay } = this.options;
    // The manifest comes before the list: whoever swaps it meanwhile makes our own swap fail. So do the commits: of a
    // committed range every file is listed.
    this.manifest = await readManifest(storage, environment);
    const commits = await Commits.read(storage, environment);
    const stored = await storage.list(environment);
    if (await hasBegunMeanwhile(storage, environment, this.manifest, stored)) throw overtaken(environment);
    await storage.removeLeftOvers(environment);
    removeLakeLeftOvers(dataDir);
    const { manifest } = this.manifest;
    const names = stored.map(({ name }) => name.slice(environment.length + 1));
    const live = liveDays({ environment, manifest, partitions: partitionsOf(names) });
    const removed = await this.removeReplaced();
    const plans = planDays({
      environment,
      stored,
      manifest,
      live,
      commits,
      urgency,
      days: days === undefined ? undefined : new Set(days),
      today: utcDate(now()),
    });
    if (plans.length > 0 && this.manifest.tag === undefined) {
      this.manifest = await beginManifest(storage, environment);
    }
    const compacted: CompactedDay[] = [];
    try {
      for (const plan of plans) {
        const day = await this.compactDay(plan, stored);
        compacted.push(day);
        onDay?.(day, compacted.length, plans.length);
      }
    } finally {
      this.merger?.close();
    }
    const late = live.flatMap((day) => day.late.map((name) => `dt=${day.day}/${name}`));
    await this.tidy(stored, removed, late);
    return { days: compacted, removed: removed.size, kept: this.manifest.manifest.replaced.length };
  }

  private async compactDay(plan: DayPlan, stored: readonly StoredFile[]): Promise<CompactedDay> {
    const { storage, environment } = this.options;
    const generation = Math.max(this.manifest.manifest.generation, highestGeneration(stored)) + 1;
    const name = `dt=${plan.day}/${compactedFileName(SCHEMA_VERSION, generation)}`;
    const staged = await storage.stage(`${environment}/${name}`);
    try {
      const rows = await this.merge(plan, staged.path);
      const { bytes, present } = rows === 0 ? { bytes: 0, present: false } : await staged.publish();
      if (present) throw overtaken(environment);
      const file = { name, rows, bytes };
      await this.swap(plan, rows === 0 ? undefined : file, generation);
      const { day: date, inputs } = plan;
      return { date, files: inputs.length, rows, name: rows === 0 ? null : `${environment}/${name}`, bytes };
    } finally {
      await staged.discard();
    }
  }

  private async merge({ day, inputs }: DayPlan, target: string): Promise<number> {
    const { storage, dataDir, environment, signal, isGentle = false } = this.options;
    const opened: OpenedFile[] = [];
    try {
      for (let start = 0; start < inputs.length; start += OPEN_AT_ONCE) {
        const names = inputs.slice(start, start + OPEN_AT_ONCE).map(({ name }) => name);
        const some = await Promise.all(names.map((name) => storage.open(`${environment}/${name}`)));
        opened.push(...some.filter((file) => file !== undefined));
        signal?.throwIfAborted();
        const missing = some.indexOf(undefined);
        if (missing >= 0) throw lost(environment, names[missing] ?? '');
      }
      const files = inputs.map(({ version, bytes }, index) => ({
        path: opened[index]?.path ?? '',
        version,
        bytes,
      }));
      this.merger ??= await openMerger({
        spillFolder: newSpillFolder(dataDir),
        isGentle,
        signal,
      });
      return await this.merger.merge(environment, files, target);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof HxError) throw error;
      throw unmergeable(environment, day, error);
    } finally {
      await Promise.all(opened.map((file) => file.release()));
    }
  }

  /** Makes the merged file live in place of its sources, in one step. */
  private async swap(
    { day, inputs, covered }: DayPlan,
    file: Manifest['compacted'][number] | undefined,
    generation: number,
  ): Promise<void> {
    const { compacted, replaced, covered: before } = this.manifest.manifest;
    const gone = new Set(inputs.map(({ name }) => name));
    const at = this.options.now().toISOString();
    await this.replace({
      generation,
      compacted: [...compacted.filter(({ name }) => !gone.has(name)), ...(file === undefined ? [] : [file])],
      replaced: [...replaced, ...[...gone].map((name) => ({ name, at }))],
      covered: Object.keys(covered).length === 0 ? before : { ...before, [day]: covered },
    });
  }

  private async replace(next: Manifest): Promise<void> {
    const { storage, environment } = this.options;
    const swapped = await replaceManifest(storage, environment, this.manifest, next);
    if (swapped === undefined) throw overtaken(environment);
    this.manifest = swapped;
  }

  /** Removes the replaced files that nobody reads any more. The manifest goes on listing them until the next swap. */
  private async removeReplaced(): Promise<ReadonlySet<string>> {
    const { storage, environment, graceMs = GRACE_MS, now } = this.options;
    const before = now().getTime() - graceMs;
    const over = this.manifest.manifest.replaced.filter(({ at }) => Date.parse(at) <= before);
    await storage.removeAll(over.map(({ name }) => `${environment}/${name}`));
    return new Set(over.map(({ name }) => name));
  }

  /**
   * Forgets the removed files, removes compacted files that no manifest lists (those of compactions that died), and
   * puts late files to the replaced ones, as who began to read before they were late may read them still.
   * Only after a swap of our own, since another machine's file is not listed either before its swap, which fails now.
   */
  private async tidy(
    stored: readonly StoredFile[],
    removed: ReadonlySet<string>,
    late: readonly string[],
  ): Promise<void> {
    const { storage, environment, now } = this.options;
    const { generation, compacted, replaced, covered } = this.manifest.manifest;
    const known = new Set([...compacted, ...replaced].map(({ name }) => `${environment}/${name}`));
    const orphans = stored.filter((file) => isCompacted(file) && !known.has(file.name));
    if (removed.size === 0 && orphans.length === 0 && late.length === 0) return;
    const at = now().toISOString();
    const left = replaced.filter(({ name }) => !removed.has(name));
    await this.replace({
      generation: Math.max(generation, highestGeneration(stored)) + 1,
      compacted,
      replaced: [...left, ...late.map((name) => ({ name, at }))],
      covered,
    });
    await storage.removeAll(orphans.map(({ name }) => name));
  }
}
