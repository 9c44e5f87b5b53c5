import { type Column, convertRow, type RowOf } from '../rpl/column.js';

/**
 * A row as the Postgres driver takes it: uint64 as text (it becomes numeric), JSON as a value (the driver
 * writes it as jsonb), everything else as it is.
 */
export function rowToPostgres(
  columns: readonly Column[],
  row: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  return convertRow(columns, row, {
    uint64: (value: bigint) => String(value),
    json: (text: string) => JSON.parse(text),
  });
}

/** The inverse of rowToPostgres, for a row that the driver has read. */
export function rowFromPostgres<Columns extends readonly Column[]>(
  columns: Columns,
  stored: Readonly<Record<string, unknown>>,
): RowOf<Columns> {
  return convertRow(columns, stored, {
    uint64: (text: string) => BigInt(text),
    json: (value: unknown) => JSON.stringify(value),
  }) as RowOf<Columns>;
}
