import { escapeControls } from './escape.js';
import type { Paint } from './style.js';
import { displayWidth, padToWidth, truncateToWidth } from './width.js';

const GAP = '  ';
/** A column is never narrower than this unless its content is. */
const MINIMUM_COLUMN_WIDTH = 6;

export interface TableColumn {
  readonly header: string;
  readonly align?: 'left' | 'right';
}

export interface TableInput {
  readonly columns: readonly TableColumn[];
  /** One array of cells per row; a missing cell is empty. Cells are plain text: controls are shown escaped. */
  readonly rows: readonly (readonly string[])[];
  /** Columns of the terminal; wider tables have their widest columns cut with `…`. Infinity cuts nothing. */
  readonly width: number;
  readonly paint: Paint;
  /** Colours one cell after it was cut and padded, for example a status. */
  readonly paintCell?: (padded: string, cell: string, column: number) => string;
}

/** A small table of text: a bold header, a rule, one line per row, ending in a newline. */
export function renderTable({ columns, rows, width, paint, paintCell }: TableInput): string {
  const headers = columns.map(({ header }) => escapeControls(header));
  const cells = rows.map((row) => columns.map((_, index) => escapeControls(row[index] ?? '')));
  const widths = fitWidths(naturalWidths([headers, ...cells]), width);
  const layout = columns.map(({ align = 'left' }, index) => ({ align, width: widths[index] ?? 0 }));
  return [
    renderRow(headers, layout, (padded) => paint('bold', padded)),
    renderRule(layout, paint),
    ...cells.map((row) => renderRow(row, layout, paintCell)),
  ].join('');
}

export interface ColumnLayout {
  readonly align: 'left' | 'right';
  readonly width: number;
}

/** The width of the widest cell of each column. */
export function naturalWidths(rows: readonly (readonly string[])[]): number[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, index) => {
      widths[index] = Math.max(widths[index] ?? 0, displayWidth(cell));
    });
  }
  return widths;
}

/** Narrows the widest columns until the table fits, down to a minimum below which it may overflow. */
export function fitWidths(natural: readonly number[], width: number): number[] {
  const available = width - GAP.length * (natural.length - 1);
  if (sum(natural) <= available) return [...natural];
  let low = MINIMUM_COLUMN_WIDTH;
  let high = Math.max(low, ...natural);
  while (low < high) {
    const cap = Math.ceil((low + high) / 2);
    if (sum(natural.map((column) => Math.min(column, cap))) <= available) low = cap;
    else high = cap - 1;
  }
  return handOut(natural, low, available);
}

/** Whether a table of these columns can be narrowed to fit. */
export function canFit(natural: readonly number[], width: number): boolean {
  const least = natural.map((column) => Math.min(column, MINIMUM_COLUMN_WIDTH));
  return sum(least) + GAP.length * (natural.length - 1) <= width;
}

/** Gives what the common cap left over to the columns that were cut, from the left. */
function handOut(natural: readonly number[], cap: number, available: number): number[] {
  const capped = natural.map((column) => Math.min(column, cap));
  let spare = available - sum(capped);
  return capped.map((column, index) => {
    const wanted = (natural[index] ?? 0) - column;
    if (wanted <= 0 || spare <= 0) return column;
    spare -= 1;
    return column + 1;
  });
}

/** One line of a table. Cells must be escaped already; `decorate` may add colour after padding. */
export function renderRow(
  cells: readonly string[],
  layout: readonly ColumnLayout[],
  decorate: (padded: string, cell: string, column: number) => string = (padded) => padded,
): string {
  const parts = layout.map(({ align, width }, index) => {
    const cell = cells[index] ?? '';
    const isLast = index === layout.length - 1;
    const cut = truncateToWidth(cell, width);
    return decorate(isLast && align === 'left' ? cut : padToWidth(cut, width, align), cell, index);
  });
  return `${parts.join(GAP)}\n`;
}

/** The line between header and rows. */
export function renderRule(layout: readonly ColumnLayout[], paint: Paint): string {
  return `${layout.map(({ width }) => paint('dim', '─'.repeat(width))).join(GAP)}\n`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
