import { dayOfFolder } from '../lake-file.js';
import { partitionsOf } from '../lake-listing.js';
import { liveDays } from '../live-files.js';
import type { Manifest } from '../manifest.js';
import type { StoredObject } from '../storage/s3-answers.js';

/** Which partitions a reader wants; everything unless said. */
export interface Wanted {
  readonly environments?: readonly string[];
  /** First and last UTC date, both included. */
  readonly since?: string;
  readonly until?: string;
}

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
 * @throws HxError as `liveDays`.
 */
export function select(
  environment: string,
  manifest: Manifest,
  objects: readonly StoredObject[],
  wanted: Wanted,
): Selection {
  const start = `${environment}/`.length;
  const isWanted = ({ name }: { name: string }) => isWantedDay(name, wanted);
  const here = new Map(objects.map((object) => [object.name.slice(start), object]));
  const ofWanted: Manifest = {
    ...manifest,
    compacted: manifest.compacted.filter(isWanted),
    replaced: manifest.replaced.filter(isWanted),
    covered: Object.fromEntries(
      Object.entries(manifest.covered).filter(([day]) => isWanted({ name: `dt=${day}/` })),
    ),
  };
  const partitions = partitionsOf([...here.keys()].filter((name) => isWanted({ name })));
  const live = liveDays({ environment, manifest: ofWanted, partitions }).flatMap(({ day, groups }) =>
    groups.flatMap(({ names }) => names.map((name) => `dt=${day}/${name}`)),
  );
  return {
    environment,
    manifest: ofWanted,
    files: live.flatMap((name) => here.get(name) ?? []),
    missing: live.filter((name) => !here.has(name)),
  };
}

/** Whether a name within an environment's folder is below a wanted day. */
function isWantedDay(name: string, { since = '', until = '9999-12-31' }: Wanted): boolean {
  const day = dayOfFolder(name.slice(0, name.indexOf('/')));
  return day !== undefined && day >= since && day <= until;
}
