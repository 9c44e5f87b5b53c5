import { quote } from '../catalog/catalog.js';
import { rangeFileName } from '../catalog/range-names.js';
import type { WrittenFile } from '../export/ledger.js';
import {
  expectRows,
  publishRangeFile,
  type RangePart,
  type RangeTarget,
  rangeMetadata,
} from '../export/range-file.js';
import { FIELD_IDS } from '../files/schema.js';
import { type BulkLoader, valuesFromText } from './loader.js';

/** Rows of a row group, which DuckDB holds until it is full. */
const ROW_GROUP_ROWS = 20_480;
const ZSTD_LEVEL = 1;

/**
 * Writes one file of a range like `writeRangeFile`, from rows that come as text.
 * @throws as `writeRangeFile`, and what the text's source throws.
 */
export async function writeRangeBulk(
  loader: BulkLoader,
  target: RangeTarget,
  part: RangePart,
  text: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<WrittenFile> {
  const name = rangeFileName(target.chain, target.rectangle, part.day, part.kind);
  const staged = await target.storage.stage(name);
  try {
    const statement = (rows: string) => copyStatement(rows, staged.path, rangeMetadata(target));
    expectRows(part, await loader.load(text, statement, signal));
    return await publishRangeFile(target, name, part.rows, staged);
  } catch (error) {
    await staged.discard();
    throw error;
  }
}

function copyStatement(rows: string, path: string, metadata: Readonly<Record<string, string>>): string {
  const ids = [...FIELD_IDS].map(([name, id]) => `${name}: ${id}`);
  const pairs = Object.entries(metadata).map(([key, value]) => `${quote(key)}: ${quote(value)}`);
  const options = [
    ...['FORMAT parquet', 'COMPRESSION zstd', `COMPRESSION_LEVEL ${ZSTD_LEVEL}`],
    ...[`ROW_GROUP_SIZE ${ROW_GROUP_ROWS}`, 'USE_TMP_FILE false'],
    ...[`FIELD_IDS {${ids.join(', ')}}`, `KV_METADATA {${pairs.join(', ')}}`],
  ];
  return `COPY (SELECT ${valuesFromText()}, 'operational' AS lane FROM ${rows}) TO ${quote(path)} (${options.join(', ')})`;
}
