import { HxError, messageOf } from '../../base/errors.js';
import { formerLake } from '../catalog/former.js';
import {
  type Chain,
  chainFolder,
  commitName,
  intentName,
  isFormerRecord,
  parseCommitName,
  parseRangeFile,
  type Rectangle,
  type Slot,
  shortInstance,
} from '../catalog/range-names.js';
import { SCHEMA_VERSION } from '../files/schema.js';
import type { LakeStorage } from '../storage/storage.js';
import { sameRectangle } from './coverage.js';

/** A file of a range. */
export interface WrittenFile {
  /** Below the lake's root. */
  readonly name: string;
  readonly rows: number;
  readonly bytes: number;
}

export interface ChainState {
  /** What was covered, in the order of slots. */
  readonly commits: readonly Slot[];
  /** The first slot without a commit. */
  readonly slot: number;
  /** What an export wrote down that it would cover in that slot: it runs, or it died. */
  readonly begun: Rectangle | undefined;
}

/**
 * Reads what was exported from a database. The names of commits say it all, so their content is not read.
 *
 * Exporters of several machines share no lock, and a list may be behind by the time it is used. That is enough: slots
 * are taken in their order by `beginRange`, once each, and a slot is taken only by one who saw the commits of all
 * before it; records are never removed. So who takes slot n has seen every commit that there is (n+1 would need n),
 * and what the range covers and leaves out follows from the commits of slots 0 to n-1 alone, the same for whoever
 * carries it out. To whom a list shows a slot as free or begun that is neither any more, taking it fails, and
 * `isOpen` and `commitRange` say no.
 * @throws HxError `failed` for records of before the first release, lost ones, or an intent that cannot be read.
 */
export async function readChain(storage: LakeStorage, chain: Chain): Promise<ChainState> {
  const names = (await storage.list(chainFolder(chain))).map(({ name }) => name);
  if (names.some(isFormerRecord)) throw formerLake(`${storage.url}/${chain.environment}`);
  const commits: Slot[] = names.flatMap((name) => parseCommitName(name) ?? []);
  commits.sort((one, other) => one.slot - other.slot);
  const taken = new Set(commits.map(({ slot }) => slot));
  let slot = 0;
  while (taken.has(slot)) slot += 1;
  const begun = await readIntent(storage, chain, slot);
  const lost = begun === undefined ? await findLostRecord(storage, chain, slot, commits) : undefined;
  if (lost === undefined) return { commits, slot, begun };
  // Another exporter may have taken the slot since it was looked at.
  if ((await readIntent(storage, chain, slot)) === undefined) throw lost;
  return readChain(storage, chain);
}

/** Without its records a range would be exported once more under another name, and its checks would count twice. */
async function findLostRecord(
  storage: LakeStorage,
  chain: Chain,
  slot: number,
  commits: readonly Slot[],
): Promise<HxError | undefined> {
  const later = commits.find((commit) => commit.slot > slot);
  if (later !== undefined) return lostRecord(storage, intentName(chain, slot), commitName(chain, later));
  // Before the first file of a database comes its first record.
  if (slot > 0) return undefined;
  const own = (await storage.list(chain.environment)).find(
    ({ name }) => parseRangeFile(name)?.instance === shortInstance(chain.instance),
  );
  return own === undefined ? undefined : lostRecord(storage, intentName(chain, slot), own.name);
}

function lostRecord(storage: LakeStorage, record: string, there: string): HxError {
  return new HxError(
    'failed',
    `The record ${record} of exports is gone from ${storage.url}, but ${there} is there.`,
    {
      hint: 'Restore the records from a backup of the lake, or make the environment anew as docs/exports.md says.',
    },
  );
}

/** Whether a slot is begun with this range and not committed, so that its files may be published. */
export async function isOpen(storage: LakeStorage, chain: Chain, range: Slot): Promise<boolean> {
  const [begun, commit] = await Promise.all([
    readIntent(storage, chain, range.slot),
    storage.read(commitName(chain, range)),
  ]);
  // Another intent stands there when the lake was moved away meanwhile and began anew.
  return begun !== undefined && commit === undefined && sameRectangle(begun, range);
}

async function readIntent(storage: LakeStorage, chain: Chain, slot: number): Promise<Rectangle | undefined> {
  const name = intentName(chain, slot);
  const found = await storage.read(name);
  if (found === undefined) return undefined;
  let record: Record<string, unknown>;
  let range: Rectangle;
  try {
    record = JSON.parse(Buffer.from(found.bytes).toString('utf8')) as Record<string, unknown>;
    range = {
      lo: BigInt(String(record['lo'])),
      hi: BigInt(String(record['hi'])),
      since: dateOf(record['since']),
      until: dateOf(record['until']),
    };
  } catch (error) {
    throw unreadable(`${storage.url}/${name}`, error);
  }
  if (record['slot'] !== slot) throw formerLake(`${storage.url}/${chain.environment}`);
  return range;
}

function dateOf(value: unknown): string | null {
  if (value === null || (typeof value === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(value))) return value;
  throw new Error(`${JSON.stringify(value)} is no date`);
}

/** What is written down of an export beside what it covers. */
export interface Provenance {
  /** Where the database lives: a Neon branch, or a database of one cluster. */
  readonly binding: string;
  readonly createdAt: Date;
}

/** Writes down what is about to be covered. Returns false when another export has taken the slot. */
export function beginRange(
  storage: LakeStorage,
  chain: Chain,
  range: Slot,
  provenance: Provenance,
): Promise<boolean> {
  return storage.putIfAbsent(intentName(chain, range.slot), encode(describe(chain, range, provenance)));
}

/** Writes down that a range is covered, which frees the next slot. Returns false when another export has done so. */
export function commitRange(
  storage: LakeStorage,
  chain: Chain,
  range: Slot,
  files: readonly WrittenFile[],
  provenance: Provenance,
): Promise<boolean> {
  const rows = files.reduce((sum, file) => sum + file.rows, 0);
  const record = { ...describe(chain, range, provenance), rows, files };
  return storage.putIfAbsent(commitName(chain, range), encode(record));
}

/**
 * The files of a range that is covered.
 * @throws HxError `failed` when its record cannot be read.
 */
export async function committedFiles(
  storage: LakeStorage,
  chain: Chain,
  range: Slot,
): Promise<readonly WrittenFile[]> {
  const name = commitName(chain, range);
  const found = await storage.read(name);
  try {
    const { files } = JSON.parse(Buffer.from(found?.bytes ?? []).toString('utf8')) as {
      files: WrittenFile[];
    };
    return files.map((file) => ({ ...file }));
  } catch (error) {
    throw unreadable(`${storage.url}/${name}`, error);
  }
}

function unreadable(record: string, error: unknown): HxError {
  return new HxError('failed', `${record} cannot be read: ${messageOf(error)}`, {
    cause: error,
    hint: 'Restore it from a backup of the lake, or make the environment anew as docs/exports.md says.',
  });
}

function describe(chain: Chain, { slot, lo, hi, since, until }: Slot, { binding, createdAt }: Provenance) {
  return {
    env: chain.environment,
    instance: chain.instance,
    binding,
    slot,
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
