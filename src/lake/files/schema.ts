import type { SchemaElement } from 'hyparquet';
import { HxError } from '../../base/errors.js';
import type { Column, ColumnType, RowOf } from '../../rpl/column.js';
import { EXPORT_COLUMNS, type RunRecord } from '../../rpl/record.js';
import type { ColumnValues } from './parquet-file.js';

/** The lake's shape. Any change of a column's name or type raises it; file names carry it (`s1`). */
export const SCHEMA_VERSION = 3;

/** A run, how its answer came about, what became of the row, and which lane it was measured in. */
export const LAKE_COLUMNS = [
  ...EXPORT_COLUMNS,
  {
    name: 'lane',
    type: 'text',
    nullable: false,
    unit: 'operational | research',
    meaning: 'Where the run was measured: for a user, or by a sweep',
  },
] as const satisfies readonly Column[];

export type Lane = 'operational' | 'research';

/** One row of the lake, keyed by column name. */
export type LakeRow = RowOf<typeof LAKE_COLUMNS>;

/** A research run as a row of the lake: measured once, and never changed. */
export function researchRow(run: RunRecord): LakeRow {
  return { ...run, was_cached: false, cached_from: null, revision: 0, deleted_at: null, lane: 'research' };
}

/** The columns that each schema version added, in an order that never changes: field ids follow it. */
const ADDED_COLUMNS: Readonly<Record<number, readonly (keyof LakeRow)[]>> = {
  2: ['prob_true_logprob', 'logprob_mass_other', 'n_readouts', 'readouts_by_status_json', 'model_changed'],
  3: ['revision', 'deleted_at'],
};

/** What a file says, as SQL, by lacking a column that a later version added; of any other column, NULL. */
const LACKING: Partial<Record<keyof LakeRow, string>> = { revision: '0' };

/** Every schema version whose files the lake may hold, the newest last. */
export const SCHEMA_VERSIONS: readonly number[] = Array.from(
  { length: SCHEMA_VERSION },
  (_, index) => index + 1,
);

/** A column's value in files of a schema version, as SQL: its name, or what its absence means. */
export function columnValue(version: number, name: keyof LakeRow): string {
  const isThere = Object.entries(ADDED_COLUMNS).every(
    ([addedBy, names]) => Number(addedBy) <= version || !names.includes(name),
  );
  return isThere ? name : (LACKING[name] ?? 'NULL');
}

/** Each column's field id, the same in every version: those of version 1 in their order, then what each later one added. */
export const FIELD_IDS: ReadonlyMap<string, number> = fieldIds();

function fieldIds(): Map<string, number> {
  const later = Object.values(ADDED_COLUMNS).flat();
  const first = LAKE_COLUMNS.map(({ name }) => name).filter((name) => !later.includes(name));
  return new Map([...first, ...later].map((name, index) => [name, index + 1]));
}

/**
 * What the writer takes: a lake row whose instants may be microseconds since 1970, since a `Date` holds only
 * milliseconds of what Postgres keeps.
 */
export type WritableRow = Omit<LakeRow, 'created_at' | 'deleted_at'> & {
  readonly created_at: Date | bigint;
  readonly deleted_at: Date | bigint | null;
};

interface Mapping {
  readonly parquet: Omit<SchemaElement, 'name' | 'repetition_type' | 'field_id'>;
  readonly duckdb: string;
  /** As what DuckDB reads the value from text, and what makes of it what a file holds; `text` and itself by default. */
  readonly fromText?: { readonly type: string; readonly value?: (name: string) => string };
  /** The value as the Parquet encoder takes it. */
  readonly encode: (value: unknown) => unknown;
}

const INT32_MAX = 2 ** 31 - 1;
const UINT64_MAX = 2n ** 64n - 1n;
const MONEY_DECIMALS = 6;
const MONEY_PRECISION = 12;

/**
 * How each storage-neutral type is kept. JSON is plain text in the file and cast by the views (the JSON
 * annotation would be encoded twice); integers carry no annotation (DuckDB rejects the one that is written).
 */
const MAPPINGS: Record<ColumnType, Mapping> = {
  uuid: {
    parquet: { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16, logical_type: { type: 'UUID' } },
    duckdb: 'UUID',
    fromText: { type: 'UUID' },
    encode: (value) => value,
  },
  text: { parquet: { type: 'BYTE_ARRAY', converted_type: 'UTF8' }, duckdb: 'VARCHAR', encode: text },
  json: { parquet: { type: 'BYTE_ARRAY', converted_type: 'UTF8' }, duckdb: 'JSON', encode: text },
  boolean: {
    parquet: { type: 'BOOLEAN' },
    duckdb: 'BOOLEAN',
    fromText: { type: 'BOOLEAN' },
    encode: boolean,
  },
  integer: { parquet: { type: 'INT32' }, duckdb: 'INTEGER', fromText: { type: 'INTEGER' }, encode: int32 },
  double: { parquet: { type: 'DOUBLE' }, duckdb: 'DOUBLE', fromText: { type: 'DOUBLE' }, encode: double },
  uint64: {
    parquet: {
      type: 'FIXED_LEN_BYTE_ARRAY',
      type_length: 9,
      converted_type: 'DECIMAL',
      precision: 20,
      scale: 0,
      logical_type: { type: 'DECIMAL', precision: 20, scale: 0 },
    },
    duckdb: 'DECIMAL(20,0)',
    // Text into so wide a decimal takes DuckDB ten times as long.
    fromText: { type: 'UBIGINT', value: (name) => `CAST(${name} AS DECIMAL(20,0))` },
    encode: uint64,
  },
  money: {
    parquet: {
      type: 'INT64',
      converted_type: 'DECIMAL',
      precision: MONEY_PRECISION,
      scale: MONEY_DECIMALS,
      logical_type: { type: 'DECIMAL', precision: MONEY_PRECISION, scale: MONEY_DECIMALS },
    },
    duckdb: `DECIMAL(${MONEY_PRECISION},${MONEY_DECIMALS})`,
    fromText: { type: `DECIMAL(${MONEY_PRECISION},${MONEY_DECIMALS})` },
    encode: money,
  },
  timestamp: {
    parquet: {
      type: 'INT64',
      converted_type: 'TIMESTAMP_MICROS',
      logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
    },
    duckdb: 'TIMESTAMP WITH TIME ZONE',
    fromText: { type: 'BIGINT', value: (name) => `make_timestamptz(${name})` },
    encode: instant,
  },
};

/** What queries filter and join by. Statistics of all columns would make a one-row file a third larger. */
const PRUNING_COLUMNS: ReadonlySet<string> = new Set([
  ...['run_id', 'env', 'created_at', 'claim_hash', 'model', 'lane'],
]);

/** DuckDB's type of a column, as its views show it. */
export function duckdbType(column: Column): string {
  return MAPPINGS[column.type].duckdb;
}

/** DuckDB's type that is written to a file as the column's Parquet type: JSON is plain text there. */
export function fileType(column: Column): string {
  return column.type === 'json' ? 'VARCHAR' : duckdbType(column);
}

/** As what DuckDB reads a column that travels as text: see src/rpl/transfer.ts. */
export function textType(column: Column): string {
  return MAPPINGS[column.type].fromText?.type ?? 'VARCHAR';
}

/** What makes of a column that was read as `textType` the value that a file holds, as SQL. */
export function valueFromText(column: Column): string {
  return MAPPINGS[column.type].fromText?.value?.(column.name) ?? column.name;
}

/** The Parquet schema of a lake file: one optional leaf a column, under the root. */
export function parquetSchema(): SchemaElement[] {
  const leaves = LAKE_COLUMNS.map(
    ({ name, type }): SchemaElement => ({
      ...MAPPINGS[type].parquet,
      name,
      repetition_type: 'OPTIONAL',
      field_id: FIELD_IDS.get(name) ?? 0,
    }),
  );
  return [{ name: 'root', num_children: leaves.length }, ...leaves];
}

/**
 * Rows turned into columns as the Parquet encoder takes them, in the order of LAKE_COLUMNS.
 * @param allStatistics whether every column gets statistics, instead of those alone that queries filter by.
 * @throws HxError `bug` naming the column for a value that its type cannot hold, or a null where none may be.
 */
export function encodeColumns(rows: readonly WritableRow[], allStatistics = false): ColumnValues[] {
  return (LAKE_COLUMNS as readonly Column[]).map((column) => ({
    name: column.name,
    data: rows.map((row) => encodeValue(column, row[column.name as keyof WritableRow])),
    statistics: allStatistics || PRUNING_COLUMNS.has(column.name),
  }));
}

function encodeValue(column: Column, value: unknown): unknown {
  if (value === null || value === undefined) {
    if (column.nullable) return null;
    throw new HxError('bug', `The lake's column ${column.name} got no value.`);
  }
  const encoded = MAPPINGS[column.type].encode(value);
  if (encoded !== undefined) return encoded;
  throw new HxError('bug', `The lake's column ${column.name} (${column.type}) cannot hold ${String(value)}.`);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function boolean(value: unknown): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined;
}

function double(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function int32(value: unknown): number | undefined {
  return Number.isInteger(value) && Math.abs(value as number) <= INT32_MAX ? (value as number) : undefined;
}

/** A `number` has lost digits already, so only a `bigint` is taken. */
function uint64(value: unknown): bigint | undefined {
  return typeof value === 'bigint' && value >= 0n && value <= UINT64_MAX ? value : undefined;
}

/** A decimal string in millionths, exactly. */
function money(value: unknown): bigint | undefined {
  const match = typeof value === 'string' ? /^(-?)(\d{1,6})(?:\.(\d+))?$/.exec(value) : null;
  const [, sign, whole = '', fraction = ''] = match ?? [];
  if (match === null || /[1-9]/.test(fraction.slice(MONEY_DECIMALS))) return undefined;
  const millionths = BigInt(whole + fraction.slice(0, MONEY_DECIMALS).padEnd(MONEY_DECIMALS, '0'));
  return sign === '-' ? -millionths : millionths;
}

function instant(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value;
  if (!(value instanceof Date) || Number.isNaN(value.getTime())) return undefined;
  return BigInt(value.getTime()) * 1000n;
}
