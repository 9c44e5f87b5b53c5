import { setImmediate as nextTurn } from 'node:timers/promises';
import { cellText } from '../../render/formats/value.js';

/** Rows that are searched before the keyboard gets its turn. */
const ROWS_AT_ONCE = 500;

/**
 * The first cell from a row on, down (1) or up (-1), that holds the text; capitals count only where the text has
 * some.
 */
export async function findCell(
  rows: readonly (readonly unknown[])[],
  sought: string,
  from: number,
  direction: 1 | -1,
): Promise<{ readonly row: number; readonly column: number } | undefined> {
  const isLower = sought === sought.toLowerCase();
  const holds = (value: unknown) => {
    const text = cellText(value) ?? 'NULL';
    return (isLower ? text.toLowerCase() : text).includes(sought);
  };
  for (let row = from; row >= 0 && row < rows.length; row += direction) {
    const column = (rows[row] ?? []).findIndex(holds);
    if (column >= 0) return { row, column };
    if (row % ROWS_AT_ONCE === 0) await nextTurn();
  }
  return undefined;
}
