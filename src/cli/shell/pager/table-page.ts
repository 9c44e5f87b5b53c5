import { escapeControls } from '../../render/escape.js';
import { gridText } from '../../render/formats/grid.js';
import type { Column } from '../../render/formats/result.js';
import { isNumeric } from '../../render/formats/value.js';
import type { Paint } from '../../render/style.js';
import { type ColumnLayout, renderRow, renderRule } from '../../render/table.js';
import { displayWidth } from '../../render/width.js';

/** Columns of a cell at most while `.width` is auto: the record view shows what is longer. */
const CELL_LIMIT = 60;
/** Units of a long text that are looked at for one cell. */
const TEXT_LIMIT = 4_000;
const GAP = 2;
/** A column at the right edge is shown in part only where at least this much of it fits. */
const LEAST_PART = 6;
const INVERSE = '\u001b[7m';
const INVERSE_END = '\u001b[27m';

export interface TablePageInput {
  /** Rows of the page, and which of them is selected. */
  readonly rows: readonly (readonly unknown[])[];
  readonly selected: number;
  /** Index of the leftmost column shown. */
  readonly left: number;
  readonly width: number;
  readonly paint: Paint;
}

/** Draws pages of a table: columns keep the widest width that any page has needed so far. */
export class TablePage {
  private readonly columns: readonly Column[];
  private readonly limit: number;
  private readonly widths: number[];

  constructor(columns: readonly Column[], cellLimit: number | undefined) {
    this.columns = columns;
    this.limit = cellLimit ?? CELL_LIMIT;
    this.widths = columns.map(({ name }) => Math.min(this.limit, displayWidth(escapeControls(name))));
  }

  /** Widens the columns to what these rows need. */
  measure(rows: readonly (readonly unknown[])[]): void {
    for (const row of rows) {
      for (const [index, value] of row.entries()) {
        const width = Math.min(this.limit, displayWidth(cell(value)));
        if (width > (this.widths[index] ?? 0)) this.widths[index] = width;
      }
    }
  }

  /** How many columns from `left` on fit into the width, the last one perhaps in part. */
  shownFrom(left: number, width: number): number {
    return this.layout(left, width).length;
  }

  /** The leftmost column from which the last one is shown whole. */
  lastLeft(width: number): number {
    let left = this.columns.length - 1;
    let used = this.widths[left] ?? 0;
    while (left > 0 && used + GAP + (this.widths[left - 1] ?? 0) <= width) {
      left -= 1;
      used += GAP + (this.widths[left] ?? 0);
    }
    return Math.max(0, left);
  }

  /** Header, rule, and a line for each row. */
  lines({ rows, selected, left, width, paint }: TablePageInput): string[] {
    const layout = this.layout(left, width);
    const headers = this.columns.slice(left, left + layout.length).map(({ name }) => escapeControls(name));
    const lines = rows.map((row, index) => {
      const values = row.slice(left, left + layout.length);
      if (index === selected) {
        return `${INVERSE}${oneLine(renderRow(values.map(cell), layout))}${INVERSE_END}`;
      }
      return oneLine(
        renderRow(values.map(cell), layout, (padded, _cell, column) =>
          values[column] === null ? paint('dim', padded) : padded,
        ),
      );
    });
    return [
      oneLine(renderRow(headers, layout, (padded) => paint('bold', padded))),
      oneLine(renderRule(layout, paint)),
      ...lines,
    ];
  }

  private layout(left: number, width: number): ColumnLayout[] {
    const layout: ColumnLayout[] = [];
    let used = 0;
    for (let index = left; index < this.columns.length; index += 1) {
      const wanted = this.widths[index] ?? 0;
      const gap = layout.length === 0 ? 0 : GAP;
      const room = width - used - gap;
      if (room < Math.min(wanted, LEAST_PART) && layout.length > 0) break;
      const align = isNumeric(this.columns[index]?.type ?? '') && room >= wanted ? 'right' : 'left';
      layout.push({ align, width: Math.max(1, Math.min(wanted, room)) });
      used += gap + wanted;
      if (used >= width) break;
    }
    return layout;
  }
}

function oneLine(text: string): string {
  return text.replace(/\n$/, '');
}

function cell(value: unknown): string {
  return gridText(typeof value === 'string' ? value.slice(0, TEXT_LIMIT) : value);
}
