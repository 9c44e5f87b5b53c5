import { HxError } from '../base/errors.js';
import type { LakeStorage } from './storage/storage.js';

/** A compacted file that holds live rows; a file of that kind which no manifest lists is not read. */
export interface CompactedFile {
  /** Relative to the environment's folder: `dt=2026-11-01/c-s3-7.parquet`. */
  readonly name: string;
  readonly rows: number;
  readonly bytes: number;
  /** The databases whose exported rows it holds, each by the first eight hex digits of its UUID. */
  readonly instances: readonly string[];
}

/** A file whose rows are in a compacted one now. It is read by nobody who starts after `at`. */
export interface ReplacedFile {
  /** Relative to the environment's folder. */
  readonly name: string;
  /** ISO 8601. */
  readonly at: string;
}

/**
 * What compaction did to an environment: the only thing that decides which of its files are live. Compacted files
 * are live when it lists them, all others unless it lists them.
 */
export interface Manifest {
  /** Rises with every change; compacted files are named after it. */
  readonly generation: number;
  readonly compacted: readonly CompactedFile[];
  readonly replaced: readonly ReplacedFile[];
}

export const EMPTY_MANIFEST: Manifest = { generation: 0, compacted: [], replaced: [] };

/** The manifest's name, relative to the environment's folder. */
export const MANIFEST_NAME = '_hx/manifest.json';

/** A manifest as it was read, with the tag by which its successor replaces it. */
export interface ReadManifest {
  readonly manifest: Manifest;
  readonly tag: string | undefined;
}

/**
 * Reads an environment's manifest; one that was never compacted has an empty one.
 * @throws HxError `failed` when it is damaged: without it nobody can tell which files are live.
 */
export async function readManifest(storage: LakeStorage, environment: string): Promise<ReadManifest> {
  const name = `${environment}/${MANIFEST_NAME}`;
  const found = await storage.read(name);
  if (found === undefined) return { manifest: EMPTY_MANIFEST, tag: undefined };
  return { manifest: parseManifest(found.bytes, `${storage.url}/${name}`), tag: found.tag };
}

/**
 * Puts the successor in the place of a manifest that was read before.
 * @returns the new one with its tag; undefined, with nothing changed, when somebody else replaced it meanwhile.
 */
export async function replaceManifest(
  storage: LakeStorage,
  environment: string,
  previous: ReadManifest,
  next: Manifest,
): Promise<ReadManifest | undefined> {
  if (next.generation <= previous.manifest.generation) {
    throw new HxError('bug', `The manifest's generation ${next.generation} does not follow its last.`);
  }
  const bytes = Buffer.from(`${JSON.stringify(next)}\n`);
  const tag = await storage.replace(`${environment}/${MANIFEST_NAME}`, bytes, previous.tag);
  return tag === undefined ? undefined : { manifest: next, tag };
}

/**
 * Reads the text of a manifest.
 * @param path of the file, for the error.
 */
export function parseManifest(bytes: Uint8Array, path: string): Manifest {
  const value = parseJson(bytes);
  if (isManifest(value)) return value;
  throw new HxError('failed', `The lake's manifest ${path} is damaged.`, {
    hint: 'Restore it from a backup: it says which files hold live rows, so that no row counts twice.',
  });
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}

function isManifest(value: unknown): value is Manifest {
  if (typeof value !== 'object' || value === null) return false;
  const { generation, compacted, replaced } = value as Record<string, unknown>;
  return (
    Number.isSafeInteger(generation) &&
    isListOf(compacted, { name: 'string', rows: 'number', bytes: 'number', instances: 'object' }) &&
    isListOf(replaced, { name: 'string', at: 'string' })
  );
}

function isListOf(value: unknown, fields: Readonly<Record<string, string>>): boolean {
  return (
    Array.isArray(value) &&
    value.every(
      (item) =>
        typeof item === 'object' &&
        item !== null &&
        Object.entries(fields).every(([field, type]) => typeof item[field] === type),
    )
  );
}
