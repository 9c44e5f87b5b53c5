import { escapeControls } from '../escape.js';
import type { Paint } from '../style.js';
import { type ColumnLayout, canFit, fitWidths, naturalWidths, renderRow, renderRule } from '../table.js';
import { displayWidth, padToWidth } from '../width.js';
import type { Column, Rendering, Result, Shown } from './result.js';
import { RowReader } from './row-reader.js';
import { cellText, isNumeric } from './value.js';

/** Column widths are taken from this many rows; a later row may overflow in a pipe and is cut on a terminal. */
const SAMPLE_ROWS = 1_000;
/** Rows past the limit are counted up to here and no further: a count must not outlast the reader's patience. */
const COUNT_LIMIT = 100_000;
const NULL = 'NULL';

export interface GridOptions {
  /** Columns of the terminal; Infinity in a pipe, where nothing is cut. */
  readonly width: number;
  /** Rows to print; Infinity in a pipe. */
  readonly rowLimit: number;
  /** Columns that a cell may take at most; by default as many as fit. */
  readonly cellLimit?: number | undefined;
  readonly paint: Paint;
}

/**
 * A table for people. On a terminal cells are cut to fit, a result with more columns than fit is printed one
 * record after the other, and rows past the limit are counted instead of printed; the return value says so.
 */
export async function* renderGrid(result: Result, options: GridOptions): Rendering {
  const { rowLimit } = options;
  const reader = new RowReader(result.chunks);
  try {
    const sample = await reader.take(Math.min(SAMPLE_ROWS, rowLimit));
    const printer = makePrinter(result.columns, sample, options);
    let shown = sample.length;
    yield printer.head + sample.map((row, index) => printer.row(row, index)).join('');
    while (shown < rowLimit) {
      const rows = await reader.take(Math.min(SAMPLE_ROWS, rowLimit - shown));
      if (rows.length === 0) break;
      const first = shown;
      yield rows.map((row, index) => printer.row(row, first + index)).join('');
      shown += rows.length;
    }
    const shownNow: Shown = { shown, rows: await countOn(reader, shown), cut: printer.wasCut() };
    return shownNow;
  } finally {
    await reader.close();
  }
}

async function countOn(reader: RowReader, shown: number): Promise<number | undefined> {
  let rows = shown;
  while (rows <= Math.max(COUNT_LIMIT, shown)) {
    const more = await reader.take(SAMPLE_ROWS);
    if (more.length === 0) return rows;
    rows += more.length;
  }
  return undefined;
}

interface Printer {
  readonly head: string;
  row(values: readonly unknown[], index: number): string;
  wasCut(): boolean;
}

function makePrinter(columns: readonly Column[], sample: unknown[][], options: GridOptions): Printer {
  if (isPlan(columns)) return planPrinter;
  const headers = columns.map(({ name }) => escapeControls(name));
  const natural = gridWidths(columns, sample, options.cellLimit);
  if (canFit(natural, options.width)) return gridPrinter(columns, headers, natural, options);
  return recordPrinter(headers, options);
}

/** The columns that a table of these rows would take if it had all the room, each at most `cellLimit`. */
export function gridWidths(
  columns: readonly Column[],
  rows: readonly (readonly unknown[])[],
  cellLimit = Number.POSITIVE_INFINITY,
): number[] {
  const headers = columns.map(({ name }) => escapeControls(name));
  return naturalWidths([headers, ...rows.map((row) => row.map(gridText))]).map((width) =>
    Math.min(width, cellLimit),
  );
}

/** What EXPLAIN answers: a drawing of many lines in one cell, which is printed as it is drawn. */
export function isPlan(columns: readonly Column[]): boolean {
  return columns.length === 2 && columns[0]?.name === 'explain_key' && columns[1]?.name === 'explain_value';
}

const planPrinter: Printer = {
  head: '',
  row: ([, drawing]) =>
    `${(cellText(drawing) ?? NULL).trimEnd().split('\n').map(escapeControls).join('\n')}\n`,
  wasCut: () => false,
};

function gridPrinter(
  columns: readonly Column[],
  headers: readonly string[],
  natural: readonly number[],
  { width, paint }: GridOptions,
): Printer {
  const widths = fitWidths(natural, width);
  const layout: ColumnLayout[] = columns.map(({ type }, index) => ({
    align: isNumeric(type) ? 'right' : 'left',
    width: widths[index] ?? 0,
  }));
  const wide = Number.isFinite(width);
  let cut = false;
  return {
    head: renderRow(headers, layout, (padded) => paint('bold', padded)) + renderRule(layout, paint),
    row: (values) => {
      const cells = values.map(gridText);
      const overflows = layout.map((column, index) => displayWidth(cells[index] ?? '') > column.width);
      if (wide && overflows.includes(true)) cut = true;
      // In a pipe every character counts more than straight columns: an overlong cell pushes its row.
      const fitting = wide
        ? layout
        : layout.map((column, index) =>
            overflows[index] ? { ...column, width: displayWidth(cells[index] ?? '') } : column,
          );
      return renderRow(cells, fitting, (padded, _cell, index) =>
        values[index] === null ? paint('dim', padded) : padded,
      );
    },
    wasCut: () => cut,
  };
}

function recordPrinter(headers: readonly string[], { paint }: GridOptions): Printer {
  const nameWidth = Math.max(...headers.map(displayWidth));
  return {
    head: '',
    row: (values, index) => {
      const lines = headers.map((header, column) => {
        const text = gridText(values[column]);
        return `${paint('bold', padToWidth(header, nameWidth))}  ${values[column] === null ? paint('dim', text) : text}\n`;
      });
      return `${paint('dim', `── record ${index + 1} ──`)}\n${lines.join('')}`;
    },
    wasCut: () => false,
  };
}

/** A cell that cannot drive the terminal; a text that reads NULL is quoted, so that it is not taken for one. */
export function gridText(value: unknown): string {
  const text = cellText(value);
  if (text === undefined) return NULL;
  return text === NULL ? `"${NULL}"` : escapeControls(text);
}
