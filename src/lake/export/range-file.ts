import { HxError } from '../../base/errors.js';
import { type Chain, type RangeKind, type Rectangle, rangeFileName } from '../catalog/range-names.js';
import { type Codec, openParquetFile, type ParquetFile, ROW_GROUP_ROWS } from '../files/parquet-file.js';
import { encodeColumns, parquetSchema, SCHEMA_VERSION, type WritableRow } from '../files/schema.js';
import type { LakeStorage, PublishedFile } from '../storage/storage.js';
import type { WrittenFile } from './ledger.js';

/** Below so many rows the better compression saves less than it takes to load. */
const ZSTD_FROM_ROWS = 1_000;

/** Where the files of one export go, and what they say of their origin. */
export interface RangeTarget {
  readonly storage: LakeStorage;
  readonly chain: Chain;
  readonly rectangle: Rectangle;
  /** Where the database lives, as its identity says it. */
  readonly binding: string;
  /** Asks whether the range is still to be carried out. */
  readonly isOpen: () => Promise<boolean>;
}

/** Another export has carried the range out. */
export class RangeOvertaken extends Error {}

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
 * @throws HxError `failed` when the disk refuses, `bug` when more or fewer rows come than are to; RangeOvertaken;
 * then nothing is published.
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
    return await publishRangeFile(target, name, part.rows, file);
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

/**
 * Publishes a written file, unless an earlier try has. A range that is committed gets no file any more, as the same
 * file may have been there and be a part of a compacted one by now; one that comes between this look and the upload's
 * end is known by the manifest's covered transactions (`liveDays`).
 * @throws RangeOvertaken, with nothing published.
 */
export async function publishRangeFile(
  { storage, isOpen }: RangeTarget,
  name: string,
  rows: number,
  file: { publish(): Promise<PublishedFile> },
): Promise<WrittenFile> {
  if (!(await isOpen())) throw new RangeOvertaken();
  const { bytes, present } = await file.publish();
  if (!present) return { name, rows, bytes };
  const found = await storage.read(name);
  // Another exporter has carried the range out, and compaction has taken the file in and removed it.
  if (found === undefined) throw new RangeOvertaken();
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
