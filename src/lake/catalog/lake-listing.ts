import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ENVIRONMENT_NAMES } from '../../base/environments.js';
import { HxError, messageOf, systemCode } from '../../base/errors.js';
import { dayOfFolder } from '../files/lake-file.js';
import { MANIFEST_NAME, type Manifest, NO_MANIFEST, parseManifest } from './manifest.js';

/** The files of one day's folder, live or not. */
export interface Partition {
  readonly day: string;
  readonly names: readonly string[];
}

/** What an environment's folder holds, and its manifest, which says what of it is live. */
export interface EnvironmentFiles {
  readonly environment: string;
  readonly manifest: Manifest;
  readonly partitions: readonly Partition[];
}

/**
 * The folders of days among names.
 * @param names relative to the environment's folder.
 */
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

/** A folder changed this recently may change once more without a later time of change, so it is listed again. */
const UNSETTLED_MS = 2_000;

interface Kept<T> {
  /** undefined when the value may be old already. */
  readonly stamp: string | undefined;
  readonly value: T;
}

/**
 * Lists a lake's folder again and again, each time looking only into what has changed since: the times of the
 * folders tell. A year of three environments costs a thousand `stat`s (2 ms).
 */
export class LakeListing {
  private readonly root: string;
  private readonly kept = new Map<string, Kept<unknown>>();
  private environments: readonly EnvironmentFiles[] = [];
  private gone = 0;

  /** @param root the lake's folder; it may be missing. */
  constructor(root: string) {
    this.root = root;
  }

  /** How many names were listed that are there no more. */
  get goneFiles(): number {
    return this.gone;
  }

  /**
   * What there is now: the same array as the last time while nothing has changed.
   * @throws HxError `failed` for a folder that cannot be read, or a damaged manifest.
   */
  read(): readonly EnvironmentFiles[] {
    const there = new Set(this.names(this.root));
    // A copy of an environment's folder beside it is no part of the lake.
    const environments = [...ENVIRONMENT_NAMES]
      .sort()
      .filter((environment) => there.has(environment))
      .map((environment) => this.readEnvironment(environment));
    if (!hasSameItems(environments, this.environments)) this.environments = environments;
    return this.environments;
  }

  private readEnvironment(environment: string): EnvironmentFiles {
    const folder = join(this.root, environment);
    const partitions = this.names(folder).flatMap((name): Partition[] => {
      const day = dayOfFolder(name);
      return day === undefined ? [] : [{ day, names: this.names(join(folder, name)) }];
    });
    partitions.sort((one, other) => (one.day < other.day ? -1 : 1));
    // The manifest comes after the lists: what it replaced meanwhile is left out, and what replaces it is named there.
    const files = { environment, manifest: this.manifest(join(folder, MANIFEST_NAME)), partitions };
    const before = this.environments.find((known) => known.environment === environment);
    return before !== undefined && isSameFiles(before, files) ? before : files;
  }

  /** The names in a folder, in any order; none when it is missing or no folder. */
  private names(folder: string): readonly string[] {
    return this.keep<readonly string[]>(folder, NO_NAMES, (before) => {
      const names = readdirSync(folder);
      if (before === undefined) return names;
      if (hasSameItems(names, before)) return before;
      const there = new Set(names);
      this.gone += before.filter((name) => !there.has(name)).length;
      return names;
    });
  }

  private manifest(path: string): Manifest {
    return this.keep(path, NO_MANIFEST, () => parseManifest(readFileSync(path), path));
  }

  /** What was read from a path last time, unless the path may have changed: then `read` gets it. */
  private keep<T>(path: string, missing: T, read: (before: T | undefined) => T): T {
    try {
      const stamp = stampOf(path);
      const before = this.kept.get(path) as Kept<T> | undefined;
      if (before !== undefined && stamp !== undefined && before.stamp === stamp) return before.value;
      const value = read(before?.value);
      this.kept.set(path, { stamp, value });
      return value;
    } catch (error) {
      if (error instanceof HxError) throw error;
      const code = systemCode(error);
      if (code === 'ENOENT' || code === 'ENOTDIR') return missing;
      throw new HxError('failed', `Cannot read ${path}: ${messageOf(error)}`, {
        cause: error,
        hint: 'Check the permissions of that folder.',
      });
    }
  }
}

const NO_NAMES: readonly string[] = [];

function hasSameItems<T>(one: readonly T[], other: readonly T[]): boolean {
  return one.length === other.length && one.every((item, index) => item === other[index]);
}

function isSameFiles(one: EnvironmentFiles, other: EnvironmentFiles): boolean {
  const { partitions: days } = other;
  return (
    one.manifest === other.manifest &&
    one.partitions.length === days.length &&
    one.partitions.every(({ day, names }, index) => day === days[index]?.day && names === days[index].names)
  );
}

/** What changes when a path changes; undefined while the next change could leave it the same. */
function stampOf(path: string): string | undefined {
  const { ino, mtimeMs, size } = statSync(path);
  return Date.now() - mtimeMs > UNSETTLED_MS ? `${ino} ${mtimeMs} ${size}` : undefined;
}
