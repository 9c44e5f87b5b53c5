import { parseCommitName, parseRangeFile, type Rectangle } from '../export/names.js';
import { dayOfFolder, type FileKind, generationOf } from '../lake-file.js';
import type { Partition } from '../lake-listing.js';
import { type LiveDay, liveDays } from '../live-files.js';
import type { Manifest } from '../manifest.js';
import type { StoredFile } from '../storage/storage.js';

/** A day's folder is read fast up to so many small files; each costs a query 0.13 ms. */
export const MANY_FILES = 64;

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
  /** The databases whose rows are among them. */
  readonly instances: readonly string[];
}

/**
 * Which days to compact: all whose rows are in more than one file, only those with many small ones, or these and
 * the ones with updated rows, among which are the marks of deleted ones.
 */
export type Urgency = 'any' | 'many' | 'updated';

export interface PlanRequest {
  readonly environment: string;
  /** Everything below the environment's folder. */
  readonly stored: readonly StoredFile[];
  readonly manifest: Manifest;
  readonly urgency: Urgency;
  /** Only these; all when undefined. */
  readonly days?: ReadonlySet<string> | undefined;
}

/** Decides which days become one file, the oldest first. */
export function planDays(request: PlanRequest): DayPlan[] {
  const { environment, stored, manifest, days } = request;
  const sizes = new Map(stored.map(({ name, bytes }) => [name.slice(environment.length + 1), bytes]));
  const partitions = partitionsOf(sizes.keys());
  const isCommitted = committedFiles(sizes.keys());
  return liveDays({ environment, manifest, partitions })
    .filter(({ day }) => days === undefined || days.has(day))
    .sort((one, other) => (one.day < other.day ? -1 : 1))
    .flatMap((live) => planDay(live, request, sizes, isCommitted) ?? []);
}

function planDay(
  live: LiveDay,
  { manifest, urgency }: PlanRequest,
  sizes: ReadonlyMap<string, number>,
  isCommitted: (name: string, day: string) => boolean,
): DayPlan | undefined {
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
    files.flatMap((file) => (isRange(file) && !isCommitted(file.name, live.day) ? [instanceOf(file)] : [])),
  );
  const small = files.filter(
    (file) => file.kind !== 'c' && !(isRange(file) && unfinished.has(instanceOf(file))),
  );
  const compacted = files.filter(({ kind }) => kind === 'c');
  const hasUpdates = small.some(({ kind }) => kind === 'u');
  const isUrgent = urgency === 'any' || (urgency === 'updated' && hasUpdates);
  if (!isUrgent && small.length <= MANY_FILES) return undefined;
  const inputs =
    urgency === 'any' || hasUpdates
      ? [...small, ...compacted]
      : [...small, ...worthMerging(small, compacted)];
  if (inputs.length < 2 && !hasUpdates) return undefined;
  const known = new Map(manifest.compacted.map(({ name, instances }) => [name, instances]));
  const instances = inputs.flatMap((file) =>
    isRange(file) ? [instanceOf(file)] : (known.get(file.name) ?? []),
  );
  return { day: live.day, inputs, instances: [...new Set(instances)].sort() };
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

function instanceOf({ name }: DayInput): string {
  return parseRangeFile(name)?.instance ?? '';
}

export function partitionsOf(names: Iterable<string>): Partition[] {
  const days = new Map<string, string[]>();
  for (const name of names) {
    const [folder = '', file, ...deeper] = name.split('/');
    const day = dayOfFolder(folder);
    if (day === undefined || file === undefined || deeper.length > 0) continue;
    const known = days.get(day);
    if (known === undefined) days.set(day, [file]);
    else known.push(file);
  }
  return [...days].map(([day, files]) => ({ day, names: files }));
}

/** Tells whether the range of an exported file is committed for a day. */
function committedFiles(names: Iterable<string>): (name: string, day: string) => boolean {
  const commits = new Map<string, Rectangle[]>();
  const keyOf = (instance: string, { lo, hi }: { lo: bigint; hi: bigint }) => `${instance} ${lo} ${hi}`;
  for (const name of names) {
    const commit = parseCommitName(name);
    if (commit === undefined) continue;
    const [, instance = ''] = name.split('/');
    const key = keyOf(instance, commit);
    commits.set(key, [...(commits.get(key) ?? []), commit]);
  }
  return (name, day) => {
    const file = parseRangeFile(name);
    if (file === undefined) return false;
    return (commits.get(keyOf(file.instance, file)) ?? []).some(
      ({ since, until }) => (since === null || since <= day) && (until === null || day <= until),
    );
  };
}

/** The highest generation that any compacted file of the environment is named after, 0 for none. */
export function highestGeneration(stored: readonly StoredFile[]): number {
  return stored.reduce((highest, { name }) => {
    return Math.max(highest, generationOf(name.slice(name.lastIndexOf('/') + 1)) ?? 0);
  }, 0);
}
