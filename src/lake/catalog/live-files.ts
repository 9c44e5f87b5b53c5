import { HxError } from '../../base/errors.js';
import type { FileKind } from '../files/lake-file.js';
import { runFileName } from '../files/partition.js';
import { SCHEMA_VERSION, SCHEMA_VERSIONS } from '../files/schema.js';
import type { EnvironmentFiles, Partition } from './lake-listing.js';
import { lostManifest, type Manifest, type SpansByInstance } from './manifest.js';
import { parseRangeFile } from './range-names.js';
import { isWithin } from './spans.js';

/** The files of one kind and schema version. */
export interface FileGroup {
  readonly kind: FileKind;
  readonly version: number;
  readonly names: readonly string[];
}

/** The live files of a day: each of its rows is in one of them, or in several as long as updates are apart. */
export interface LiveDay {
  readonly day: string;
  readonly groups: readonly FileGroup[];
  /** Whether the folder also holds files of rows that are in live ones, so that patterns find too much. */
  readonly isMixed: boolean;
  /** Whether exports are compacted, so that a pattern may find too much from one moment to the next. */
  readonly isCovered: boolean;
  /** Files of exports that are not live although the manifest does not name them. */
  readonly late: readonly string[];
  /** Files under names that no writer gives, such as a copy that somebody made: nobody reads them. */
  readonly unknown: readonly string[];
  /** Whether several databases exported rows of the day (one a copy of the other, say), so that runs may repeat. */
  readonly isShared: boolean;
}

/**
 * The live files of an environment, day by day. Nothing else decides which are: readers, compaction, verification
 * and copies of a lake ask here.
 * @throws HxError `failed` when rows are in files of a schema version that only a newer hx can read, or compacted ones
 * are there without a manifest.
 */
export function liveDays({ environment, manifest, partitions }: EnvironmentFiles): LiveDay[] {
  if (manifest.generation < 0) refuseCompacted(environment, partitions);
  const replaced = namesByDay(manifest.replaced);
  const compacted = namesByDay(manifest.compacted);
  const missing = [...compacted.keys()].filter((day) => !partitions.some((found) => found.day === day));
  return [...partitions, ...missing.map((day) => ({ day, names: [] }))].map((partition) =>
    liveDay(partition, {
      replaced: replaced.get(partition.day),
      compacted: compacted.get(partition.day) ?? new Set(),
      covered: manifest.covered[partition.day],
    }),
  );
}

function refuseCompacted(environment: string, partitions: readonly Partition[]): void {
  for (const { day, names } of partitions) {
    const compacted = names.find((name) => name.startsWith('c-') && name.endsWith('.parquet'));
    if (compacted !== undefined) throw lostManifest(environment, `dt=${day}/${compacted}`);
  }
}

/** What the manifest says of a day. */
interface DayState {
  readonly replaced: ReadonlySet<string> | undefined;
  readonly compacted: ReadonlySet<string>;
  readonly covered: SpansByInstance | undefined;
}

/**
 * The compacted files come from the manifest and not from the folder: when one is missing, reading it has to fail,
 * as its rows are nowhere else.
 */
function liveDay({ day, names }: Partition, { replaced, compacted, covered = {} }: DayState): LiveDay {
  const groups = new Map<string, FileGroup & { names: string[] }>();
  const instances = new Set<string>(Object.keys(covered));
  const isCovered = instances.size > 0;
  const isLate = lateFiles(names, covered);
  const [late, unknown]: [string[], string[]] = [[], []];
  let isMixed = false;
  let files = 0;
  const add = (name: string, key: string) => {
    const group = GROUPS.get(key);
    if (group === undefined) throw tooNew(day, name);
    const known = groups.get(key);
    files += 1;
    if (known === undefined) groups.set(key, { ...group, names: [name] });
    else known.names.push(name);
  };
  for (const name of names) {
    const key = groupKey(name);
    const group = GROUPS.get(key);
    if (group === undefined && isTooNew(key)) throw tooNew(day, name);
    if (group === undefined || group.kind === 'c') continue;
    const instance = name.slice(key.length + 1, key.length + 1 + INSTANCE_LENGTH);
    if (!isGiven(name, group.kind)) unknown.push(name);
    else if (replaced?.has(name)) isMixed = true;
    else if (group.kind === 'r') add(name, key);
    else if (isLate(name, instance, group.version)) late.push(name);
    else {
      add(name, key);
      instances.add(instance);
    }
  }
  for (const name of compacted) add(name, groupKey(name));
  isMixed ||= late.length + unknown.length > 0;
  const isShared = instances.size > 1 && files > 1;
  return { day, groups: [...groups.values()], isMixed, isCovered, late, unknown, isShared };
}

/**
 * Tells whether an exported file's rows are live in other files: its transactions are taken in by compacted ones, or
 * it is there once more in a newer schema version. Its exporter was frozen while another one ended its work.
 *
 * A range that is still to be committed has no file of which that is true: a range leaves out the rows that earlier
 * ones covered, so each of its rows has a transaction that no compaction can have taken in before it is committed.
 */
function lateFiles(
  names: readonly string[],
  covered: SpansByInstance,
): (name: string, instance: string, version: number) => boolean {
  let all: ReadonlySet<string> | undefined;
  return (name, instance, version) => {
    const spans = Object.hasOwn(covered, instance) ? covered[instance] : undefined;
    const file = spans === undefined ? undefined : parseRangeFile(name);
    if (file !== undefined && isWithin(spans ?? [], file)) return true;
    if (version === SCHEMA_VERSION) return false;
    all ??= new Set(names);
    return SCHEMA_VERSIONS.some(
      (newer) => newer > version && all?.has(name.replace(`-s${version}-`, `-s${newer}-`)),
    );
  };
}

/** Hex digits of a database's UUID in the names of its files. */
const INSTANCE_LENGTH = 8;

const KINDS: readonly FileKind[] = ['r', 'x', 'u', 'c'];
const GROUPS: ReadonlyMap<string, Pick<FileGroup, 'kind' | 'version'>> = new Map(
  KINDS.flatMap((kind) => SCHEMA_VERSIONS.map((version) => [`${kind}-s${version}`, { kind, version }])),
);

/** `r-s3` of `r-s3-….parquet`. A lake may hold 50,000 names, so no pattern is matched. */
function groupKey(name: string): string {
  return name.endsWith('.parquet') ? name.slice(0, name.indexOf('-', 2)) : '';
}

const RUN_NAME_LENGTH = runFileName('00000000-0000-7000-8000-000000000000').length;

/** Whether a writer gives such a name: the rows of `x-s3-… copy.parquet` would count twice. */
function isGiven(name: string, kind: FileKind): boolean {
  if (kind !== 'r') return parseRangeFile(name) !== undefined;
  // A lake may hold 50,000 runs, whose names are of one length.
  return name.length === RUN_NAME_LENGTH || /^[a-z0-9-]+\.parquet$/.test(name);
}

/** Names within a day's folder, by day, of names within the environment's. */
function namesByDay(files: Manifest['replaced'] | Manifest['compacted']): Map<string, Set<string>> {
  const days = new Map<string, Set<string>>();
  for (const { name } of files) {
    const slash = name.indexOf('/');
    const day = name.slice('dt='.length, slash);
    const known = days.get(day);
    if (known === undefined) days.set(day, new Set([name.slice(slash + 1)]));
    else known.add(name.slice(slash + 1));
  }
  return days;
}

/** Whether a name is one of rows of a version to come: leaving them out would make every count a little wrong. */
function isTooNew(key: string): boolean {
  const version = /^[rxu]-s(\d{1,9})$/.exec(key)?.[1];
  return version !== undefined && Number(version) > SCHEMA_VERSION;
}

function tooNew(day: string, name: string): HxError {
  return new HxError('failed', `The rows of ${day} are in ${name}, which a newer hx wrote.`, {
    hint: 'Update hx: this one cannot read that version of the lake, and would leave those rows out.',
  });
}
