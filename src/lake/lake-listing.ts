import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { HxError, messageOf, systemCode } from '../base/errors.js';
import { dayOfFolder } from './lake-file.js';
import { EMPTY_MANIFEST, MANIFEST_NAME, type Manifest, parseManifest } from './manifest.js';

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

/** A folder changed this recently may change once more without a later time of change, so it is listed again. */
const UNSETTLED_MS = 2_000;

interface Kept<T> {
  readonly stamp: string;
  readonly value: T;
}

/**
 * Lists a lake's folder again and again, each time looking only into what has changed since: the times of the
 * folders tell. A year of three environments costs a thousand `stat`s (2 ms).
 */
export class LakeListing {
  private readonly root: string;
  private readonly kept = new Map<string, Kept<unknown>>();

  /** @param root the lake's folder; it may be missing. */
  constructor(root: string) {
    this.root = root;
  }

  /** @throws HxError `failed` for a folder that cannot be read, or a damaged manifest. */
  read(): EnvironmentFiles[] {
    return this.names(this.root)
      .filter((environment) => !/^[._]/.test(environment))
      .sort()
      .map((environment) => this.readEnvironment(environment));
  }

  private readEnvironment(environment: string): EnvironmentFiles {
    const folder = join(this.root, environment);
    const partitions = this.names(folder).flatMap((name): Partition[] => {
      const day = dayOfFolder(name);
      return day === undefined ? [] : [{ day, names: this.names(join(folder, name)) }];
    });
    partitions.sort((one, other) => (one.day < other.day ? -1 : 1));
    return { environment, manifest: this.manifest(join(folder, MANIFEST_NAME)), partitions };
  }

  /** The names in a folder, in any order; none when it is missing or no folder. */
  private names(folder: string): readonly string[] {
    return this.keep(folder, [], () => readdirSync(folder));
  }

  private manifest(path: string): Manifest {
    return this.keep(path, EMPTY_MANIFEST, () => parseManifest(readFileSync(path), path));
  }

  /** What was read from a path last time, unless the path has changed. */
  private keep<T>(path: string, missing: T, read: () => T): T {
    try {
      const stamp = stampOf(path);
      const before = this.kept.get(path) as Kept<T> | undefined;
      if (before !== undefined && before.stamp === stamp) return before.value;
      const value = read();
      if (stamp === undefined) this.kept.delete(path);
      else this.kept.set(path, { stamp, value });
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

/** What changes when a path changes; undefined while the next change could leave it the same. */
function stampOf(path: string): string | undefined {
  const { ino, mtimeMs, size } = statSync(path);
  return Date.now() - mtimeMs > UNSETTLED_MS ? `${ino} ${mtimeMs} ${size}` : undefined;
}
