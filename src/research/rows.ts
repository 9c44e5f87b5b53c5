import type { Column, RowOf } from '../rpl/column.js';

type SqliteValue = string | number | null;

/**
 * A row as SQLite stores it: booleans as 0 and 1, timestamps as ISO 8601 in UTC, uint64 and money as text
 * (an INTEGER is signed, a REAL would lose digits).
 */
export function rowToSqlite(
  columns: readonly Column[],
  row: Readonly<Record<string, unknown>>,
): Record<string, SqliteValue> {
  const stored: Record<string, SqliteValue> = {};
  for (const { name, type } of columns) {
    const value = row[name] ?? null;
    if (value === null) stored[name] = null;
    else if (type === 'boolean') stored[name] = value === true ? 1 : 0;
    else if (type === 'timestamp') stored[name] = (value as Date).toISOString();
    else if (type === 'uint64') stored[name] = String(value);
    else stored[name] = value as string | number;
  }
  return stored;
}

/** The inverse of rowToSqlite. */
export function rowFromSqlite<Columns extends readonly Column[]>(
  columns: Columns,
  stored: Readonly<Record<string, unknown>>,
): RowOf<Columns> {
  const row: Record<string, unknown> = {};
  for (const { name, type } of columns) {
    const value = stored[name] ?? null;
    if (value === null) row[name] = null;
    else if (type === 'boolean') row[name] = value === 1;
    else if (type === 'timestamp') row[name] = new Date(value as string);
    else if (type === 'uint64') row[name] = BigInt(value as string);
    else row[name] = value;
  }
  return row as RowOf<Columns>;
}
