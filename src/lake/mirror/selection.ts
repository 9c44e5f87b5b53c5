import { dayOfFolder } from '../lake-file.js';
import type { Manifest } from '../manifest.js';
import type { StoredObject } from '../storage/s3-answers.js';

/** Which partitions a reader wants; everything unless said. */
export interface Wanted {
  readonly environments?: readonly string[];
  /** First and last UTC date, both included. */
  readonly since?: string;
  readonly until?: string;
}

/** A file of a day's folder, below an environment's; its first letter says what it holds. */
const PARTITION_FILE = /^dt=[^/]+\/([rxuc])-s\d+-[^/]+\.parquet$/;

/** What of a lake a reader needs of one environment. */
export interface Selection {
  readonly environment: string;
  /** The manifest, of the wanted days alone. */
  readonly manifest: Manifest;
  /** The live files of the wanted days. */
  readonly files: readonly StoredObject[];
  /** Compacted files that the manifest lists and the listing does not: it is newer than the manifest. */
  readonly missing: readonly string[];
}

/**
 * Chooses the live files of the wanted days.
 * @param manifest read before the listing was made, so that what it replaces may be there still.
 */
export function select(
  environment: string,
  manifest: Manifest,
  objects: readonly StoredObject[],
  wanted: Wanted,
): Selection {
  const start = `${environment}/`.length;
  const isWanted = ({ name }: { name: string }) => isWantedDay(name, wanted);
  const compacted = manifest.compacted.filter(isWanted);
  const replaced = manifest.replaced.filter(isWanted);
  const live = new Set(compacted.map(({ name }) => name));
  const gone = new Set(replaced.map(({ name }) => name));
  const files = objects.filter((object) => {
    const name = object.name.slice(start);
    const kind = PARTITION_FILE.exec(name)?.[1];
    if (kind === undefined || !isWanted({ name })) return false;
    return kind === 'c' ? live.has(name) : !gone.has(name);
  });
  const there = new Set(files.map(({ name }) => name.slice(start)));
  return {
    environment,
    manifest: { ...manifest, compacted, replaced },
    files,
    missing: [...live].filter((name) => !there.has(name)),
  };
}

/** Whether a name within an environment's folder is below a wanted day. */
function isWantedDay(name: string, { since = '', until = '9999-12-31' }: Wanted): boolean {
  const day = dayOfFolder(name.slice(0, name.indexOf('/')));
  return day !== undefined && day >= since && day <= until;
}
