import { HxError, messageOf } from '../../base/errors.js';
import { SCHEMA_VERSION } from '../schema.js';
import type { LakeStorage } from '../storage/storage.js';
import {
  type Chain,
  chainFolder,
  commitName,
  intentName,
  isDayFile,
  parseCommitName,
  parseIntentName,
  parseRangeFile,
  type Rectangle,
  shortInstance,
} from './names.js';

/** A file of a range. */
export interface WrittenFile {
  /** Below the lake's root. */
  readonly name: string;
  readonly rows: number;
  readonly bytes: number;
}

/** An export that wrote down what it would cover and has not ended: it runs, or it died. */
export interface Intent extends Rectangle {
  /** The schema version of its files. */
  readonly schemaVersion: number;
}

export interface ChainState {
  readonly commits: readonly Rectangle[];
  /** Intents without a commit, the oldest first. */
  readonly pending: readonly Intent[];
  /** Whether nothing was ever exported from this database. */
  readonly isNew: boolean;
}

/** Reads what was exported from a database. The names of commits say it all, so their content is not read. */
export async function readChain(storage: LakeStorage, chain: Chain): Promise<ChainState> {
  const names = (await storage.list(chainFolder(chain))).map(({ name }) => name);
  const commits = names.flatMap((name) => parseCommitName(name) ?? []);
  const done = new Set(commits.map((commit) => intentName(chain, commit)));
  const pending: Intent[] = [];
  for (const name of names) {
    const intent = parseIntentName(name);
    if (intent !== undefined && !done.has(name))
      pending.push({ ...intent, ...(await readIntent(storage, name)) });
  }
  pending.sort((one, other) => (one.lo < other.lo ? -1 : one.lo > other.lo ? 1 : 0));
  return { commits, pending, isNew: commits.length === 0 && pending.length === 0 };
}

async function readIntent(
  storage: LakeStorage,
  name: string,
): Promise<{ hi: bigint; schemaVersion: number }> {
  const found = await storage.read(name);
  try {
    const { hi, schema_version } = JSON.parse(Buffer.from(found?.bytes ?? []).toString('utf8')) as Record<
      string,
      unknown
    >;
    return { hi: BigInt(String(hi)), schemaVersion: Number(schema_version) };
  } catch (error) {
    throw new HxError('failed', `${storage.url}/${name} cannot be read: ${messageOf(error)}`, {
      cause: error,
      hint: 'Restore that file from a backup of the lake; it says what an export that did not end was to cover.',
    });
  }
}

/** What is written down of an export beside what it covers. */
export interface Provenance {
  /** Where the database lives: a Neon branch, or a database of one cluster. */
  readonly binding: string;
  readonly createdAt: Date;
}

/** Writes down what is about to be covered. Returns false when another export has begun there. */
export function beginRange(
  storage: LakeStorage,
  chain: Chain,
  rectangle: Rectangle,
  provenance: Provenance,
): Promise<boolean> {
  return storage.putIfAbsent(intentName(chain, rectangle), encode(describe(chain, rectangle, provenance)));
}

/** Writes down that a range is covered, which makes it the next one's start. */
export async function commitRange(
  storage: LakeStorage,
  chain: Chain,
  rectangle: Rectangle,
  files: readonly WrittenFile[],
  provenance: Provenance,
): Promise<void> {
  const rows = files.reduce((sum, file) => sum + file.rows, 0);
  const record = { ...describe(chain, rectangle, provenance), rows, files };
  await storage.putIfAbsent(commitName(chain, rectangle), encode(record));
}

function describe(chain: Chain, { lo, hi, since, until }: Rectangle, { binding, createdAt }: Provenance) {
  return {
    env: chain.environment,
    instance: chain.instance,
    binding,
    lo: String(lo),
    hi: String(hi),
    since,
    until,
    schema_version: SCHEMA_VERSION,
    created_at: createdAt.toISOString(),
  };
}

function encode(record: object): Uint8Array {
  return Buffer.from(`${JSON.stringify(record, undefined, 2)}\n`);
}

/** First eight hex digits of the other databases of the environment that were ever exported into this lake. */
export async function otherChains(storage: LakeStorage, { environment, instance }: Chain): Promise<string[]> {
  const found = new Set<string>();
  for (const { name } of await storage.list(`${environment}/_hx`)) {
    const other = new RegExp(`^${environment}/_hx/([0-9a-f]{8})/commits/`).exec(name)?.[1];
    if (other !== undefined && other !== shortInstance(instance)) found.add(other);
  }
  return [...found].sort();
}

/** Removes what exports of this database wrote before they were ranges: the first range holds all of it. */
export async function removeDayFiles(storage: LakeStorage, chain: Chain): Promise<void> {
  for (const { name } of await storage.list(chain.environment)) {
    if (isDayFile(name, chain)) await storage.remove(name);
  }
}

/** Removes what an export that did not end has published under another schema version: it is written again. */
export async function removeOtherVersions(
  storage: LakeStorage,
  chain: Chain,
  { lo, hi }: Rectangle,
): Promise<void> {
  for (const { name } of await storage.list(chain.environment)) {
    const file = parseRangeFile(name);
    if (file === undefined || file.instance !== shortInstance(chain.instance)) continue;
    if (file.lo === lo && file.hi === hi && file.version !== SCHEMA_VERSION) await storage.remove(name);
  }
}
