import type { LiveDay } from '../catalog/live-files.js';
import type { Manifest, SpansByInstance } from '../catalog/manifest.js';
import { parseRangeFile } from '../catalog/range-names.js';
import { mergeSpans, rangesOf, type Span } from '../catalog/spans.js';
import type { Commits } from '../export/commits.js';
import { type FileKind, generationOf } from '../files/lake-file.js';
import type { StoredFile } from '../storage/storage.js';

/** A day's folder is read fast up to so many small files; each costs a query 0.13 ms. */
export const MANY_FILES = 64;

/** So many of a day that is over may stay, also where the days before today have many together. */
const FEW_FILES = 8;

/** A compacted file is merged once more only with files that are together this part of its size. */
const WORTH_MERGING = 0.5;

/** One live file that a compaction takes in. */
export interface DayInput {
  /** Relative to the environment's folder. */
  readonly name: string;
  readonly kind: FileKind;
  readonly version: number;
  readonly bytes: number;
}

/** The files of a day that are to become one. */
export interface DayPlan {
  readonly day: string;
  readonly inputs: readonly DayInput[];
  /** The transactions whose rows are in compacted files of the day from then on. */
  readonly covered: SpansByInstance;
}

/**
 * Which days to compact: all whose rows are in more than one file; only those with many small ones, and the days
 * before today once they have many together; or these and the ones with updated rows, among which are the marks of
 * deleted ones.
 */
export type Urgency = 'any' | 'many' | 'updated';

export interface PlanRequest {
  readonly environment: string;
  /** Everything below the environment's folder. */
  readonly stored: readonly StoredFile[];
  readonly manifest: Manifest;
  /** By the manifest, of what is stored. */
  readonly live: readonly LiveDay[];
  /**
   * Read before what is stored was listed, as of a range that is taken in every file is taken in: what comes later of
   * it is not live.
   */
  readonly commits: Commits;
  readonly urgency: Urgency;
  /** Only these; all when undefined. */
  readonly days?: ReadonlySet<string> | undefined;
  /** UTC date. */
  readonly today: string;
}

/** Decides which days become one file, the oldest first. */
export function planDays(request: PlanRequest): DayPlan[] {
  const { environment, stored, live, days, today } = request;
  const sizes = new Map(stored.map(({ name, bytes }) => [name.slice(environment.length + 1), bytes]));
  const found = live
    .filter(({ day }) => days === undefined || days.has(day))
    .sort((one, other) => (one.day < other.day ? -1 : 1))
    .map((day) => dayFiles(day, request.commits, sizes));
  // A day that is over gets hardly any more files, so that it is merged once.
  const over = found.filter(({ day, small }) => day < today && small.length > FEW_FILES);
  const areMany = over.reduce((sum, { small }) => sum + small.length, 0) > MANY_FILES;
  return found.flatMap((day) => planDay(day, areMany && over.includes(day), request) ?? []);
}

/** The live files of a day that a compaction may take in. */
interface DayFiles {
  readonly day: string;
  readonly small: readonly DayInput[];
  readonly compacted: readonly DayInput[];
  /** Databases with a range that is not committed. */
  readonly unfinished: ReadonlySet<string>;
}

function dayFiles(live: LiveDay, commits: Commits, sizes: ReadonlyMap<string, number>): DayFiles {
  const folder = `dt=${live.day}`;
  const files = live.groups.flatMap(({ kind, version, names }) =>
    names.map((name): DayInput => {
      const path = `${folder}/${name}`;
      return { name: path, kind, version, bytes: sizes.get(path) ?? 0 };
    }),
  );
  // A range that is not committed is written again under the same names, so its files have to stay where they are;
  // and the updates of that database with them, as they override its rows.
  const unfinished = new Set(
    files.flatMap((file) => {
      const range = parseRangeFile(file.name);
      const isSettled = range !== undefined && commits.cover(range, live.day);
      return isRange(file) && !isSettled ? [instanceOf(file)] : [];
    }),
  );
  const small = files.filter(
    (file) => file.kind !== 'c' && !(isRange(file) && unfinished.has(instanceOf(file))),
  );
  const compacted = files.filter(({ kind }) => kind === 'c');
  return { day: live.day, small, compacted, unfinished };
}

function planDay(
  { day, small, compacted, unfinished }: DayFiles,
  isLeftOver: boolean,
  { manifest, commits, urgency }: PlanRequest,
): DayPlan | undefined {
  const hasUpdates = small.some(({ kind }) => kind === 'u');
  const isUrgent = urgency === 'any' || (urgency === 'updated' && hasUpdates) || isLeftOver;
  if (!isUrgent && small.length <= MANY_FILES) return undefined;
  const inputs =
    urgency === 'any' || hasUpdates
      ? [...small, ...compacted]
      : [...small, ...worthMerging(small, compacted)];
  if (inputs.length < 2 && !hasUpdates) return undefined;
  const taken = inputs.filter(isRange).map(instanceOf);
  const covered = coverMore(manifest.covered[day] ?? {}, taken, (instance) =>
    unfinished.has(instance) ? [] : commits.spans(instance, day),
  );
  return { day, inputs, covered };
}

/**
 * What is covered once files are taken in: of their databases, and of those that had files before, all that is
 * committed. That may be more than the files' ranges: a row that one exporter would have written may have been changed
 * before another one carried its range out, which then needs no file, and the row is in a later range.
 */
function coverMore(
  before: SpansByInstance,
  taken: readonly string[],
  committed: (instance: string) => readonly Span[],
): SpansByInstance {
  const instances = [...new Set([...Object.keys(before), ...taken])].sort();
  return Object.fromEntries(
    instances.map((instance) => {
      const known = before[instance] ?? [];
      return [instance, mergeSpans(rangesOf([...known, ...committed(instance)]))];
    }),
  );
}

/** Merging a large file again for a few new rows would write a busy day over and over. */
function worthMerging(small: readonly DayInput[], compacted: readonly DayInput[]): DayInput[] {
  let bytes = small.reduce((sum, file) => sum + file.bytes, 0);
  const chosen: DayInput[] = [];
  for (const file of [...compacted].sort((one, other) => one.bytes - other.bytes)) {
    if (bytes < file.bytes * WORTH_MERGING) break;
    chosen.push(file);
    bytes += file.bytes;
  }
  return chosen;
}

function isRange({ kind }: DayInput): boolean {
  return kind === 'x' || kind === 'u';
}

/** The database whose exports are in a file; empty for any other file. */
function instanceOf({ name }: DayInput): string {
  return parseRangeFile(name)?.instance ?? '';
}

/** The highest generation that any compacted file of the environment is named after, 0 for none. */
export function highestGeneration(stored: readonly StoredFile[]): number {
  return stored.reduce((highest, { name }) => {
    return Math.max(highest, generationOf(name.slice(name.lastIndexOf('/') + 1)) ?? 0);
  }, 0);
}
