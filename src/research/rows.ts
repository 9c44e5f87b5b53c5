import { type Column, convertRow, type RowOf } from '../rpl/column.js';

export type SqliteValue = string | number | null;

/**
 * A row as SQLite stores it: booleans as 0 and 1, timestamps as ISO 8601 in UTC, uint64 and money as text
 * (an INTEGER is signed, a REAL would lose digits).
 */
export function rowToSqlite(
  columns: readonly Column[],
  row: Readonly<Record<string, unknown>>,
): Record<string, SqliteValue> {
  return convertRow(columns, row, {
    boolean: (value: boolean) => (value ? 1 : 0),
    timestamp: (instant: Date) => instant.toISOString(),
    uint64: (value: bigint) => String(value),
  }) as Record<string, SqliteValue>;
}

/** The inverse of rowToSqlite. */
export function rowFromSqlite<Columns extends readonly Column[]>(
  columns: Columns,
  stored: Readonly<Record<string, unknown>>,
): RowOf<Columns> {
  return convertRow(columns, stored, {
    boolean: (value: number) => value === 1,
    timestamp: (text: string) => new Date(text),
    uint64: (text: string) => BigInt(text),
  }) as RowOf<Columns>;
}
