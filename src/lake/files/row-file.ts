import type { SchemaElement } from 'hyparquet';
import { HxError } from '../../base/errors.js';
import { GrowingBytes } from './growing-bytes.js';
import type { ColumnValues } from './parquet-file.js';

const MAGIC = Buffer.from('PAR1');

/** Numbers of the Parquet types in Thrift. */
const TYPES = ['BOOLEAN', 'INT32', 'INT64', 'INT96', 'FLOAT', 'DOUBLE', 'BYTE_ARRAY', 'FIXED_LEN_BYTE_ARRAY'];
const DATA_PAGE_V2 = 3;

/** Kinds of values in Thrift's compact protocol; a field is its distance from the one before, then its kind. */
const [TRUE, FALSE, I32, I64, BINARY, LIST, STRUCT] = [1, 2, 5, 6, 8, 9, 12];
const STOP = 0;

/** `num_rows: 0` and `row_groups: []` in the footer of an empty file: where those of a row go. */
const NO_ROWS = Buffer.from([0x00, (1 << 4) | I64, 0, (1 << 4) | LIST, 0]);

type Statistics = (value: unknown, element: SchemaElement) => Record<string, unknown>;

/** Where a column's only page is, and what it takes up with its header. */
interface Page {
  readonly offset: number;
  readonly bytes: number;
}

/**
 * The bytes of a Parquet file of one row: those of hyparquet-writer without compression (of one value it makes
 * nothing smaller), in a twentieth of the time. Always the same for the same values.
 * @param schema optional leaves under one root.
 * @param columns one value each, in the order of the leaves.
 * @param metadata what the file says of itself.
 */
export async function encodeRowFile(
  schema: SchemaElement[],
  columns: readonly ColumnValues[],
  metadata: Readonly<Record<string, string>>,
): Promise<Uint8Array> {
  const { unconvertStatistics } = await import('hyparquet-writer/src/unconvert.js');
  const statistics: Statistics = (value, element) => {
    const bound = value === null ? {} : { min_value: value, max_value: value };
    const counts = { null_count: value === null ? 1n : 0n, nan_count: undefined };
    return unconvertStatistics({ ...bound, ...counts } as never, element) as Record<string, unknown>;
  };
  const [before, after] = await footerAround(schema, metadata);
  const leaves = schema.slice(1);
  const out = new GrowingBytes();
  out.raw(MAGIC);
  const pages = columns.map(({ data }, index) => writePage(out, leafAt(leaves, index), data[0]));
  const footerAt = out.length;
  out.raw(before);
  writeRowGroup(out, leaves, columns, pages, statistics);
  out.raw(after);
  out.uint32(out.length - footerAt);
  out.raw(MAGIC);
  return out.bytes();
}

/** What of a footer comes before and after its rows: the encoder writes it once, as it is the same for every row. */
async function footerAround(
  schema: SchemaElement[],
  metadata: Readonly<Record<string, string>>,
): Promise<readonly [Buffer, Buffer]> {
  const key = JSON.stringify([metadata, schema.map(({ name }) => name)]);
  const known = FOOTERS.get(key);
  if (known !== undefined) return known;
  const { ByteWriter, ParquetWriter } = await import('hyparquet-writer');
  const writer = new ByteWriter();
  const kvMetadata = Object.entries(metadata).map(([name, value]) => ({ key: name, value }));
  await new ParquetWriter({ writer, schema, kvMetadata, createdBy: 'hx' }).finish();
  const footer = Buffer.from(writer.getBytes()).subarray(MAGIC.length, -4 - MAGIC.length);
  const at = footer.indexOf(NO_ROWS);
  if (at < 0 || footer.indexOf(NO_ROWS, at + 1) >= 0) {
    throw new HxError('bug', 'The Parquet encoder writes the footer of an empty file in another way.');
  }
  const around = [footer.subarray(0, at + 1), footer.subarray(at + NO_ROWS.length)] as const;
  FOOTERS.set(key, around);
  return around;
}

/** One for each environment. */
const FOOTERS = new Map<string, readonly [Buffer, Buffer]>();

function leafAt(leaves: readonly SchemaElement[], index: number): SchemaElement {
  const leaf = leaves[index];
  if (leaf === undefined) throw new HxError('bug', `A Parquet file's column ${index} is not in its schema.`);
  return leaf;
}

function writePage(out: GrowingBytes, element: SchemaElement, value: unknown): Page {
  const offset = out.length;
  const plain = value === null ? EMPTY : plainValue(element, value);
  const size = DEFINED.length + plain.length;
  out.field(1, I32).zigzag(DATA_PAGE_V2);
  out.field(1, I32).zigzag(size);
  out.field(1, I32).zigzag(size);
  out.field(5, STRUCT);
  out.field(1, I32).zigzag(1);
  out.field(1, I32).zigzag(value === null ? 1 : 0);
  out.field(1, I32).zigzag(1);
  out.field(1, I32).zigzag(0);
  out.field(1, I32).zigzag(DEFINED.length);
  out.field(1, I32).zigzag(0);
  out.byte(STOP).byte(STOP);
  out.raw(value === null ? UNDEFINED : DEFINED).raw(plain);
  return { offset, bytes: out.length - offset };
}

const EMPTY = Buffer.alloc(0);
/** Whether the value is there: one group of bits, of which one counts. */
const DEFINED = Buffer.from([0x03, 0x01]);
const UNDEFINED = Buffer.from([0x03, 0x00]);

/** The value in the encoding PLAIN. */
function plainValue({ type, type_length = 0, name }: SchemaElement, value: unknown): Uint8Array {
  if (type === 'BYTE_ARRAY' && typeof value === 'string') {
    const text = Buffer.from(value, 'utf8');
    const bytes = Buffer.allocUnsafe(4 + text.length);
    bytes.writeUInt32LE(text.length);
    text.copy(bytes, 4);
    return bytes;
  }
  const bytes = Buffer.alloc(type === 'FIXED_LEN_BYTE_ARRAY' ? type_length : (WIDTHS[type ?? ''] ?? 0));
  if (type === 'BOOLEAN') bytes[0] = value === true ? 1 : 0;
  else if (type === 'INT32') bytes.writeInt32LE(value as number);
  else if (type === 'INT64') bytes.writeBigInt64LE(value as bigint);
  else if (type === 'DOUBLE') bytes.writeDoubleLE(value as number);
  else if (type === 'FIXED_LEN_BYTE_ARRAY' && typeof value === 'bigint') {
    bytes.writeBigUInt64BE(value, type_length - 8);
  } else if (type === 'FIXED_LEN_BYTE_ARRAY' && typeof value === 'string') {
    if (bytes.write(value.replaceAll('-', ''), 'hex') !== type_length) throw notAValue(name, value);
  } else throw notAValue(name, value);
  return bytes;
}

const WIDTHS: Readonly<Record<string, number>> = { BOOLEAN: 1, INT32: 4, INT64: 8, DOUBLE: 8 };

function notAValue(name: string, value: unknown): HxError {
  return new HxError('bug', `The Parquet column ${name} cannot hold ${String(value)}.`);
}

function writeRowGroup(
  out: GrowingBytes,
  leaves: readonly SchemaElement[],
  columns: readonly ColumnValues[],
  pages: readonly Page[],
  statistics: Statistics,
): void {
  out.field(1, I64).zigzag(1);
  out.field(1, LIST).list(1, STRUCT);
  out.field(1, LIST).list(columns.length, STRUCT);
  let total = 0;
  for (const [index, { offset, bytes }] of pages.entries()) {
    const element = leafAt(leaves, index);
    const { data, statistics: isPruning = true } = columns[index] ?? { data: [] };
    out.field(2, I64).zigzag(offset);
    out.field(1, STRUCT);
    out.field(1, I32).zigzag(TYPES.indexOf(element.type ?? ''));
    out.field(1, LIST).list(1, I32).zigzag(0);
    out.field(1, LIST).list(1, BINARY).text(element.name);
    out.field(1, I32).zigzag(0);
    out.field(1, I64).zigzag(1);
    out.field(1, I64).zigzag(bytes);
    out.field(1, I64).zigzag(bytes);
    out.field(2, I64).zigzag(offset);
    if (isPruning) writeStatistics(out, statistics(data[0], element));
    out.byte(STOP).byte(STOP);
    total += bytes;
  }
  out.field(1, I64).zigzag(total);
  out.field(1, I64).zigzag(1);
  out.field(3, I64).zigzag(total);
  out.byte(STOP);
}

/** The bounds and, after them, how many pages of which kind there are. */
function writeStatistics(out: GrowingBytes, statistics: Readonly<Record<string, unknown>>): void {
  out.field(3, STRUCT);
  let last = 0;
  for (const [name, value] of Object.entries(statistics)) {
    if (value === undefined) continue;
    const id = Number(name.replace('field_', ''));
    if (value instanceof Uint8Array) out.field(id - last, BINARY).binary(value);
    else if (typeof value === 'bigint') out.field(id - last, I64).zigzag(Number(value));
    else out.field(id - last, value === true ? TRUE : FALSE);
    last = id;
  }
  out.byte(STOP);
  out.field(1, LIST).list(1, STRUCT);
  out.field(1, I32).zigzag(DATA_PAGE_V2);
  out.field(1, I32).zigzag(0);
  out.field(1, I32).zigzag(1);
  out.byte(STOP);
}
