import { HxError } from '../../base/errors.js';
import type { LakeStorage, StoredFile } from '../storage/storage.js';
import { formerLake } from './former.js';
import type { Span } from './spans.js';

/** A compacted file that holds live rows; a file of that kind which no manifest lists is not read. */
export interface CompactedFile {
  /** Relative to the environment's folder: `dt=2026-11-01/c-s3-7.parquet`. */
  readonly name: string;
  readonly rows: number;
  readonly bytes: number;
}

/** A file whose rows are in a compacted one now. It is read by nobody who starts after `at`. */
export interface ReplacedFile {
  /** Relative to the environment's folder. */
  readonly name: string;
  /** ISO 8601. */
  readonly at: string;
}

/** Transactions by the database that counts them: the first eight hex digits of its UUID. */
export type SpansByInstance = Readonly<Record<string, readonly Span[]>>;

/**
 * What compaction did to an environment: the only thing that decides which of its files are live, by `liveDays`.
 * Compacted files are live when it lists them, all others unless it lists them or covers their transactions.
 */
export interface Manifest {
  /** Rises with every change; compacted files are named after it. */
  readonly generation: number;
  readonly compacted: readonly CompactedFile[];
  readonly replaced: readonly ReplacedFile[];
  /**
   * Of each day (UTC date) with compacted exports, the transactions whose rows were taken in. An exporter that was
   * frozen may publish such a file once more after it was taken in and removed.
   */
  readonly covered: Readonly<Record<string, SpansByInstance>>;
}

/** Of an environment that was never compacted: a manifest is written before the first compacted file, and stays. */
export const NO_MANIFEST: Manifest = { generation: -1, compacted: [], replaced: [], covered: {} };

/** The manifest's name, relative to the environment's folder. */
export const MANIFEST_NAME = '_hx/manifest.json';

/** A manifest as it was read, with the tag by which its successor replaces it. */
export interface ReadManifest {
  readonly manifest: Manifest;
  readonly tag: string | undefined;
}

/**
 * Reads an environment's manifest; one that was never compacted has NO_MANIFEST.
 * @throws HxError `failed` when it is damaged: without it nobody can tell which files are live.
 */
export async function readManifest(storage: LakeStorage, environment: string): Promise<ReadManifest> {
  const name = `${environment}/${MANIFEST_NAME}`;
  const found = await storage.read(name);
  if (found === undefined) return { manifest: NO_MANIFEST, tag: undefined };
  return { manifest: parseManifest(found.bytes, `${storage.url}/${name}`), tag: found.tag };
}

/**
 * Writes an environment's first manifest, unless it has one.
 * @returns the one that it has then.
 */
export async function beginManifest(storage: LakeStorage, environment: string): Promise<ReadManifest> {
  const bytes = encode({ ...NO_MANIFEST, generation: 0 });
  await storage.putIfAbsent(`${environment}/${MANIFEST_NAME}`, bytes);
  return readManifest(storage, environment);
}

/** Whether a name is that of a compacted file. */
export function isCompacted({ name }: Pick<StoredFile, 'name'>): boolean {
  return /\/dt=[^/]+\/c-[^/]+$/.test(name);
}

/**
 * Whether the first compaction ever began between a look for the manifest and the list that was made after it: it has
 * compacted files then, and no manifest says which.
 */
export async function hasBegunMeanwhile(
  storage: LakeStorage,
  environment: string,
  { tag }: ReadManifest,
  stored: readonly StoredFile[],
): Promise<boolean> {
  if (tag !== undefined || !stored.some(isCompacted)) return false;
  return (await readManifest(storage, environment)).tag !== undefined;
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
  const tag = await storage.replace(`${environment}/${MANIFEST_NAME}`, encode(next), previous.tag);
  return tag === undefined ? undefined : { manifest: next, tag };
}

function encode(manifest: Manifest): Uint8Array {
  return Buffer.from(`${JSON.stringify(manifest)}\n`);
}

/**
 * Reads the text of a manifest.
 * @param path of the file, for the error.
 */
export function parseManifest(bytes: Uint8Array, path: string): Manifest {
  const value = parseJson(bytes);
  if (isManifest(value)) return value;
  if (isFormer(value)) throw formerLake(path.slice(0, -`/${MANIFEST_NAME}`.length));
  throw new HxError('failed', `The lake's manifest ${path} is damaged.`, {
    hint: RESTORE,
  });
}

/**
 * Says that there is no manifest although there must have been one.
 * @param file a compacted file, relative to the environment's folder.
 */
export function lostManifest(environment: string, file: string): HxError {
  return new HxError(
    'failed',
    `The lake's manifest ${environment}/${MANIFEST_NAME} is gone, but ${environment}/${file} is there.`,
    { hint: RESTORE },
  );
}

/** Without it nobody can tell which files are live, so rows would count twice or not at all. */
const RESTORE =
  'Restore the manifest from a backup of the lake, or make the environment anew as docs/exports.md says.';

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}

function isManifest(value: unknown): value is Manifest {
  if (typeof value !== 'object' || value === null) return false;
  const { generation, compacted, replaced, covered } = value as Record<string, unknown>;
  return (
    Number.isSafeInteger(generation) &&
    isListOf(compacted, { name: 'string', rows: 'number', bytes: 'number' }) &&
    isListOf(replaced, { name: 'string', at: 'string' }) &&
    isRecordOf(covered, (days) => isRecordOf(days, isSpans))
  );
}

/** Whether it is whole, but from when manifests covered nothing. */
function isFormer(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    !('covered' in value) &&
    isManifest({ ...value, covered: {} })
  );
}

function isRecordOf(value: unknown, isItem: (item: unknown) => boolean): boolean {
  return typeof value === 'object' && value !== null && Object.values(value).every(isItem);
}

function isSpans(value: unknown): boolean {
  const isSpan = (span: unknown) =>
    Array.isArray(span) && span.length === 2 && span.every((end) => /^\d{1,20}$/.test(String(end)));
  return Array.isArray(value) && value.every(isSpan);
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
