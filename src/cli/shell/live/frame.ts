import { stripVTControlCharacters } from 'node:util';
import { displayWidth } from '../../render/width.js';

/** What is drawn live: rows in their colours, each narrower than the window, and the cursor among them. */
export interface Frame {
  readonly rows: readonly string[];
  /** Hidden when absent. */
  readonly cursor?: { readonly x: number; readonly y: number } | undefined;
}

/**
 * How many rows above the cursor a frame begins, once the window is `columns` wide.
 * @param reflows whether the terminal folds what is too wide for a narrowed window, as most do, or cuts it.
 */
export function rowsAboveCursor({ rows, cursor }: Frame, columns: number, reflows: boolean): number {
  // Without a cursor of its own a frame leaves it below its last row.
  const { x, y } = cursor ?? { x: 0, y: rows.length };
  if (!reflows) return y;
  const above = rows.slice(0, y).map((row) => {
    const width = displayWidth(stripVTControlCharacters(row));
    return Math.max(1, Math.ceil(width / columns));
  });
  return above.reduce((sum, count) => sum + count, 0) + Math.floor(x / columns);
}
