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

/** How values of some column types are turned into another home's form; other types stay as they are. */
export type Conversions = Partial<Record<ColumnType, (value: never) => unknown>>;

/** Turns a row from one home's form into another's. A value that is null or missing becomes null. */
export function convertRow(
  columns: readonly Column[],
  row: Readonly<Record<string, unknown>>,
  conversions: Conversions,
): Record<string, unknown> {
  const converted: Record<string, unknown> = {};
  for (const { name, type } of columns) {
    const value = row[name] ?? null;
    const convert = conversions[type];
    converted[name] = value === null || convert === undefined ? value : convert(value as never);
  }
  return converted;
}

/**
 * A row as plain JSON: uint64 and money as strings (a JSON number would lose digits), timestamps as ISO 8601
 * in UTC, JSON columns as values.
 */
export function rowToJson(
  columns: readonly Column[],
  row: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  return convertRow(columns, row, {
    timestamp: (instant: Date) => instant.toISOString(),
    json: (text: string) => JSON.parse(text),
    uint64: (value: bigint) => String(value),
  });
}

/** The inverse of rowToJson. */
export function rowFromJson<Columns extends readonly Column[]>(
  columns: Columns,
  json: Readonly<Record<string, unknown>>,
): RowOf<Columns> {
  return convertRow(columns, json, {
    timestamp: (text: string) => new Date(text),
    json: (value: unknown) => JSON.stringify(value),
    uint64: (text: string) => BigInt(text),
  }) as RowOf<Columns>;
}
