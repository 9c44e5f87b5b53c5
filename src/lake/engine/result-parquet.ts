import type { SchemaElement } from 'hyparquet';
import { HxError } from '../../base/errors.js';
import { openParquetFile, type ParquetFile, ROW_GROUP_ROWS } from '../files/parquet-file.js';
import { stageReplacement } from '../storage/local.js';
import type { QueryResult, ResultColumn } from './query.js';

type Leaf = Omit<SchemaElement, 'name' | 'repetition_type'>;

interface LeafCodec {
  readonly leaf: Leaf;
  readonly encode: (value: unknown) => unknown;
}

/**
 * Writes a result to a Parquet file that appears whole or not at all, with types that follow DuckDB's. JSON is
 * kept as plain text, to the letter, and read back as VARCHAR: the writer's own JSON type would encode the text
 * once more, or lose digits of its numbers. Types without a leaf of their own here (INTERVAL, TIME, lists,
 * structs) are text too, nested ones written as JSON.
 * @param path where to; an existing file is replaced, its folder is made.
 * @throws HxError `failed` when the disk refuses, and whatever the result throws while it streams.
 */
export async function writeResultParquet(
  result: QueryResult,
  path: string,
): Promise<{ path: string; rows: number; bytes: number }> {
  const names = uniqueNames(result.columns);
  const codecs = result.columns.map(({ type }) => codecFor(type));
  const leaves = codecs.map(
    ({ leaf }, index): SchemaElement => ({
      ...leaf,
      name: names[index] ?? '',
      repetition_type: 'OPTIONAL',
    }),
  );
  const staged = await stageReplacement(path);
  const file = await openParquetFile(staged, [{ name: 'root', num_children: leaves.length }, ...leaves]);
  try {
    const rows = await writeRows(result, file, names, codecs);
    const { bytes } = await file.publish();
    return { path, rows, bytes };
  } catch (error) {
    await file.discard();
    throw error;
  }
}

async function writeRows(
  result: QueryResult,
  file: ParquetFile,
  names: readonly string[],
  codecs: readonly LeafCodec[],
): Promise<number> {
  let held: unknown[][] = [];
  let written = 0;
  const flush = async () => {
    const rows = held;
    held = [];
    await file.write(
      codecs.map(({ encode }, index) => ({
        name: names[index] ?? '',
        data: rows.map((row) => (row[index] === null ? null : encode(row[index]))),
        statistics: false,
      })),
    );
    written += rows.length;
  };
  for await (const chunk of result.chunks) {
    for (const row of chunk) {
      held.push(row);
      if (held.length >= ROW_GROUP_ROWS) await flush();
    }
  }
  if (held.length > 0) await flush();
  return written;
}

/** Parquet readers find columns by name, so `count(*), count(*)` becomes `count(*)`, `count(*)_2`. */
function uniqueNames(columns: readonly ResultColumn[]): string[] {
  const taken = new Set<string>();
  return columns.map(({ name }) => {
    let unique = name;
    for (let number = 2; taken.has(unique); number += 1) unique = `${name}_${number}`;
    taken.add(unique);
    return unique;
  });
}

const DECIMAL_BYTES = 16;
const DECIMAL_LIMIT = 10n ** 38n;

const SAME = (value: unknown) => value;
const UTF8: LeafCodec = {
  leaf: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  encode: (value) => (typeof value === 'string' ? value : JSON.stringify(value, bigintAsText)),
};
const INT32: LeafCodec = { leaf: { type: 'INT32' }, encode: SAME };
const INT64: LeafCodec = { leaf: { type: 'INT64' }, encode: (value) => BigInt(value as number | bigint) };
const DOUBLE: LeafCodec = { leaf: { type: 'DOUBLE' }, encode: SAME };

const CODECS: Readonly<Record<string, LeafCodec>> = {
  BOOLEAN: { leaf: { type: 'BOOLEAN' }, encode: SAME },
  ...{ TINYINT: INT32, SMALLINT: INT32, INTEGER: INT32, UTINYINT: INT32, USMALLINT: INT32 },
  ...{ UINTEGER: INT64, BIGINT: INT64, FLOAT: DOUBLE, DOUBLE },
  UBIGINT: decimal(20, 0),
  HUGEINT: decimal(38, 0),
  DATE: {
    leaf: { type: 'INT32', converted_type: 'DATE' },
    encode: (value) => Math.round(Date.parse(`${value}T00:00:00Z`) / 86_400_000),
  },
  TIMESTAMP: timestamp(false),
  'TIMESTAMP WITH TIME ZONE': timestamp(true),
  UUID: {
    leaf: { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16, logical_type: { type: 'UUID' } },
    encode: SAME,
  },
  BLOB: { leaf: { type: 'BYTE_ARRAY' }, encode: (value) => Buffer.from(String(value), 'hex') },
};

function codecFor(type: string): LeafCodec {
  const match = /^DECIMAL\((\d+),\s*(\d+)\)$/.exec(type);
  if (match !== null) return decimal(Number(match[1]), Number(match[2]));
  return CODECS[type] ?? UTF8;
}

function decimal(precision: number, scale: number): LeafCodec {
  return {
    leaf: {
      type: 'FIXED_LEN_BYTE_ARRAY',
      type_length: DECIMAL_BYTES,
      converted_type: 'DECIMAL',
      precision,
      scale,
      logical_type: { type: 'DECIMAL', precision, scale },
    },
    encode: (value) => {
      const unscaled = BigInt(String(value).replace('.', ''));
      if (unscaled < DECIMAL_LIMIT && unscaled > -DECIMAL_LIMIT) return unscaled;
      throw new HxError('failed', `Parquet has no integer type for ${value}.`, {
        hint: 'Cast the column, for example to DOUBLE or VARCHAR.',
      });
    },
  };
}

function timestamp(isAdjustedToUTC: boolean): LeafCodec {
  return {
    leaf: { type: 'INT64', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC, unit: 'MICROS' } },
    encode: (value) => microsFromIso(String(value)),
  };
}

/** The inverse of the engine's ISO 8601 text: microseconds since 1970. */
function microsFromIso(text: string): bigint {
  const match = /^(.*\.\d{3})(\d{3})?Z?$/.exec(text);
  const milliseconds = Date.parse(`${match?.[1]}Z`);
  if (match === null || Number.isNaN(milliseconds)) {
    throw new HxError('failed', `Parquet cannot hold the instant ${text}.`, {
      hint: 'Cast the column to VARCHAR.',
    });
  }
  return BigInt(milliseconds) * 1000n + BigInt(match[2] ?? 0);
}

function bigintAsText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
