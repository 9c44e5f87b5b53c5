import { ENVIRONMENT_NAMES } from '../../base/environments.js';
import { HxError } from '../../base/errors.js';
import { dayOfFolder } from '../files/lake-file.js';
import type { S3Storage } from '../storage/s3.js';
import type { StoredObject } from '../storage/s3-answers.js';
import { type EnvironmentFiles, partitionsOf } from './lake-listing.js';
import { liveDays } from './live-files.js';
import { hasBegunMeanwhile, type Manifest, readManifest } from './manifest.js';

/** A session looks for what is new on S3 before a statement, unless it did so less than this ago. */
export const FRESH_MS = 60_000;

/** How often a lake may change under a reading before it is given up. */
const ATTEMPTS = 5;

/** Which partitions a reader wants; everything unless said. */
export interface Wanted {
  readonly environments?: readonly string[];
  /** First and last UTC date, both included. */
  readonly since?: string;
  readonly until?: string;
}

/** What of a lake a reader needs of one environment: the files and the manifest of the wanted days alone. */
export interface Selection extends EnvironmentFiles {
  /** The live files. */
  readonly files: readonly StoredObject[];
  /** Compacted files that the manifest lists and the listing does not: it is newer than the manifest. */
  readonly missing: readonly string[];
}

/** What a lake on S3 holds at one moment. */
export interface LakeState {
  /** Everything below each environment's folder. */
  readonly objects: readonly StoredObject[];
  readonly selections: readonly Selection[];
}

/**
 * Reads the state of the wanted partitions. Returns undefined when the lake changed meanwhile.
 * @throws HxError as the server's refusals, and `failed` for a damaged manifest.
 */
export async function readLake(storage: S3Storage, wanted: Wanted): Promise<LakeState | undefined> {
  const environments = wanted.environments ?? ENVIRONMENT_NAMES;
  const read = await Promise.all(environments.map((environment) => readEnvironment(storage, environment)));
  const found = read.filter((files) => files !== undefined);
  if (found.length < environments.length) return undefined;
  const selections = found.map(({ environment, manifest, objects }) =>
    select(environment, manifest, objects, wanted),
  );
  if (selections.some(({ missing }) => missing.length > 0)) return undefined;
  return { objects: found.flatMap(({ objects }) => objects), selections };
}

/** Returns undefined when the first compaction ever came between. */
async function readEnvironment(storage: S3Storage, environment: string) {
  // Before the listing: what a manifest replaces stays for a while, so that the listing has all that it needs.
  const read = await readManifest(storage, environment);
  const objects = await storage.list(environment);
  if (await hasBegunMeanwhile(storage, environment, read, objects)) return undefined;
  return { environment, manifest: read.manifest, objects };
}

/**
 * Tries until the lake holds still.
 * @param attempt returns undefined when the lake changed under it.
 * @throws HxError `failed` when it always did.
 */
export async function untilSteady<T>({ url }: S3Storage, attempt: () => Promise<T | undefined>): Promise<T> {
  for (let count = 0; count < ATTEMPTS; count += 1) {
    const result = await attempt();
    if (result !== undefined) return result;
  }
  throw new HxError('failed', `${url} changed ${ATTEMPTS} times while it was read.`, {
    hint: 'Run the same command again when nobody compacts or rebuilds it.',
  });
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
    partitions,
    files: live.flatMap((name) => here.get(name) ?? []),
    missing: live.filter((name) => !here.has(name)),
  };
}

/** Whether a name within an environment's folder is below a wanted day. */
function isWantedDay(name: string, { since = '', until = '9999-12-31' }: Wanted): boolean {
  const day = dayOfFolder(name.slice(0, name.indexOf('/')));
  return day !== undefined && day >= since && day <= until;
}

export function bytesOf(files: readonly StoredObject[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** `12 files (3.4 MB)`. */
export function describeFiles(files: number, bytes: number): string {
  return `${files} ${files === 1 ? 'file' : 'files'} (${megabytes(bytes)})`;
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
