/**
 * Storage-neutral column types.
 * `uint64` is an unsigned 64-bit integer, a `bigint` in memory; `money` is US dollars to six decimals, a
 * decimal string in memory; `timestamp` is a UTC instant, a `Date` in memory; `json` is JSON text in memory.
 */
export type ColumnType =
  | 'uuid'
  | 'text'
  | 'boolean'
  | 'integer'
  | 'uint64'
  | 'double'
  | 'money'
  | 'timestamp'
  | 'json';

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  readonly nullable: boolean;
  /** The unit or the set of values, where the name alone does not say it. */
  readonly unit?: string | undefined;
  readonly meaning: string;
}

/** A column that every row fills. */
export function required<const Name extends string, const Type extends ColumnType>(
  name: Name,
  type: Type,
  meaning: string,
  unit?: string,
) {
  return { name, type, nullable: false, meaning, unit } as const;
}

/** A column that may be null. */
export function optional<const Name extends string, const Type extends ColumnType>(
  name: Name,
  type: Type,
  meaning: string,
  unit?: string,
) {
  return { name, type, nullable: true, meaning, unit } as const;
}

interface InMemory {
  uuid: string;
  text: string;
  boolean: boolean;
  integer: number;
  uint64: bigint;
  double: number;
  money: string;
  timestamp: Date;
  json: string;
}

type ValueOf<C extends Column> = C['nullable'] extends true
  ? InMemory[C['type']] | null
  : InMemory[C['type']];

/** A row of any column table, keyed by column name. */
export type RowOf<Columns extends readonly Column[]> = {
  [C in Columns[number] as C['name']]: ValueOf<C>;
};

/**
 * A row as plain JSON: uint64 and money as strings (a JSON number would lose digits), timestamps as ISO 8601
 * in UTC, JSON columns as values.
 */
export function rowToJson(
  columns: readonly Column[],
  row: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const json: Record<string, unknown> = {};
  for (const { name, type } of columns) {
    const value = row[name] ?? null;
    if (value === null) json[name] = null;
    else if (type === 'timestamp') json[name] = (value as Date).toISOString();
    else if (type === 'json') json[name] = JSON.parse(value as string);
    else if (type === 'uint64') json[name] = String(value);
    else json[name] = value;
  }
  return json;
}

/** The inverse of rowToJson. */
export function rowFromJson<Columns extends readonly Column[]>(
  columns: Columns,
  json: Readonly<Record<string, unknown>>,
): RowOf<Columns> {
  const row: Record<string, unknown> = {};
  for (const { name, type } of columns) {
    const value = json[name] ?? null;
    if (value === null) row[name] = null;
    else if (type === 'timestamp') row[name] = new Date(value as string);
    else if (type === 'json') row[name] = JSON.stringify(value);
    else if (type === 'uint64') row[name] = BigInt(value as string);
    else row[name] = value;
  }
  return row as RowOf<Columns>;
}
