import { HxError } from '../../base/errors.js';
import { type Codec, openParquetFile, type ParquetFile, ROW_GROUP_ROWS } from '../parquet-file.js';
import { encodeColumns, parquetSchema, SCHEMA_VERSION, type WritableRow } from '../schema.js';
import type { LakeStorage, PublishedFile } from '../storage/storage.js';
import type { WrittenFile } from './ledger.js';
import { type Chain, type RangeKind, type Rectangle, rangeFileName } from './names.js';

/** Below so many rows the better compression saves less than it takes to load. */
const ZSTD_FROM_ROWS = 1_000;

/** Where the files of one export go, and what they say of their origin. */
export interface RangeTarget {
  readonly storage: LakeStorage;
  readonly chain: Chain;
  readonly rectangle: Rectangle;
  /** Where the database lives, as its identity says it. */
  readonly binding: string;
}

/** One file to write: a day's rows of one kind. */
export interface RangePart {
  readonly day: string;
  readonly kind: RangeKind;
  /** How many rows are to come. */
  readonly rows: number;
}

/**
 * Writes one file of a range, holding one row group (10,000 rows) at most. A file that an earlier try published
 * stays as it is.
 * @throws HxError `failed` when the disk refuses, `bug` when more or fewer rows come than are to; then nothing is
 * published.
 */
export async function writeRangeFile(
  target: RangeTarget,
  part: RangePart,
  batches: AsyncIterable<readonly WritableRow[]>,
): Promise<WrittenFile> {
  const name = rangeFileName(target.chain, target.rectangle, part.day, part.kind);
  const staged = await target.storage.stage(name);
  const isLarge = part.rows >= ZSTD_FROM_ROWS;
  const codec: Codec = isLarge ? 'ZSTD' : 'SNAPPY';
  const file = await openParquetFile(staged, parquetSchema(), { metadata: rangeMetadata(target), codec });
  try {
    expectRows(part, await writeRows(file, batches, isLarge));
    return await published(target.storage, name, part.rows, await file.publish());
  } catch (error) {
    await file.discard();
    throw error;
  }
}

/** What a file says of where its rows come from, beside its columns. */
export function rangeMetadata({ chain, rectangle, binding }: RangeTarget): Record<string, string> {
  return {
    'hx.schema_version': String(SCHEMA_VERSION),
    'hx.env': chain.environment,
    'hx.instance': chain.instance,
    'hx.binding': binding,
    'hx.transactions': `${rectangle.lo}-${rectangle.hi}`,
  };
}

/** What was published, or what an earlier try had published under the name. */
export async function published(
  storage: LakeStorage,
  name: string,
  rows: number,
  { bytes, present }: PublishedFile,
): Promise<WrittenFile> {
  if (!present) return { name, rows, bytes };
  const found = await storage.read(name);
  // Compaction has taken it in and removed it.
  if (found === undefined) return { name, rows, bytes };
  const { parquetMetadata } = await import('hyparquet');
  const { buffer, byteOffset, byteLength } = found.bytes;
  const metadata = parquetMetadata(buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer);
  return { name, rows: Number(metadata.num_rows), bytes: byteLength };
}

/** @throws HxError `bug` unless as many rows came as were to. */
export function expectRows({ day, kind, rows }: RangePart, came: number): void {
  if (came === rows) return;
  throw new HxError('bug', `${came} rows of ${day} (${kind}) came from the database instead of ${rows}.`);
}

async function writeRows(
  file: ParquetFile,
  batches: AsyncIterable<readonly WritableRow[]>,
  allStatistics: boolean,
): Promise<number> {
  let pending: WritableRow[] = [];
  let written = 0;
  const flush = async () => {
    await file.write(encodeColumns(pending, allStatistics));
    written += pending.length;
    pending = [];
  };
  for await (const batch of batches) {
    pending.push(...batch);
    if (pending.length >= ROW_GROUP_ROWS) await flush();
  }
  if (pending.length > 0) await flush();
  return written;
}
