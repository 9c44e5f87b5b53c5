import type { Column, RowOf } from '../rpl/column.js';

/**
 * A row as the Postgres driver takes it: uint64 as text (it becomes numeric), JSON as a value (the driver
 * writes it as jsonb), everything else as it is.
 */
export function rowToPostgres(
  columns: readonly Column[],
  row: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const stored: Record<string, unknown> = {};
  for (const { name, type } of columns) {
    const value = row[name] ?? null;
    if (value !== null && type === 'uint64') stored[name] = String(value);
    else if (value !== null && type === 'json') stored[name] = JSON.parse(value as string);
    else stored[name] = value;
  }
  return stored;
}

/** The inverse of rowToPostgres, for a row that the driver has read. */
export function rowFromPostgres<Columns extends readonly Column[]>(
  columns: Columns,
  stored: Readonly<Record<string, unknown>>,
): RowOf<Columns> {
  const row: Record<string, unknown> = {};
  for (const { name, type } of columns) {
    const value = stored[name] ?? null;
    if (value !== null && type === 'uint64') row[name] = BigInt(value as string);
    else if (value !== null && type === 'json') row[name] = JSON.stringify(value);
    else row[name] = value;
  }
  return row as RowOf<Columns>;
}
