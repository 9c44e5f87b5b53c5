import { escapeControls } from '../../render/escape.js';
import { displayWidth, graphemesOf } from '../../render/width.js';
import type { Editor } from './text.js';

export const PROMPT = 'hx> ';
export const CONTINUATION = '..> ';
/** Stands where a line was folded, as wide as the prompts. */
const FOLDED = ' '.repeat(PROMPT.length);
/** Columns that text gets at least, however narrow the window. */
const LEAST_ROOM = 8;

/** One row on the screen: a prompt and the part of the text from `start` to before `end`. */
export interface Row {
  readonly prompt: string;
  readonly start: number;
  readonly end: number;
}

/** Rows on the screen, and where the cursor stands among them. */
export interface Layout {
  readonly rows: readonly Row[];
  readonly x: number;
  readonly y: number;
  /** Whether rows above or below these had to be left out. */
  readonly partial: boolean;
}

/**
 * Folds the text being typed into rows of fewer than `columns` columns, and keeps the `maxRows` around the
 * cursor: what is drawn live must stay smaller than the window. Folds no more lines than it needs, so that a
 * pasted file costs no more at a key than a short statement.
 */
export function layoutEditor({ text, cursor }: Editor, columns: number, maxRows: number): Layout {
  const room = Math.max(LEAST_ROOM, columns - PROMPT.length - 1);
  const starts = lineStarts(text);
  const here = starts.findLastIndex((start) => start <= cursor);
  const rowsOf = (line: number) => foldLine(text, starts[line] ?? 0, line, room);
  const rows = rowsOf(here);
  let y = Math.max(
    0,
    rows.findLastIndex(({ start }) => start <= cursor),
  );
  const x = PROMPT.length + shownWidth(text.slice(rows[y]?.start ?? 0, cursor));
  let [above, below] = [here - 1, here + 1];
  for (; above >= 0 && y < maxRows; above -= 1) {
    const more = rowsOf(above);
    rows.unshift(...more);
    y += more.length;
  }
  for (; below < starts.length && rows.length - y <= maxRows; below += 1) rows.push(...rowsOf(below));
  const first = Math.max(0, Math.min(y - Math.floor(maxRows / 2), rows.length - maxRows));
  const shown = rows.slice(first, first + maxRows);
  const partial = above >= 0 || below < starts.length || shown.length < rows.length;
  return { rows: shown, x, y: y - first, partial };
}

/** Number of the line that the cursor stands in, from 1, and of all lines. */
export function lineNumber({ text, cursor }: Editor): { readonly line: number; readonly lines: number } {
  return { line: lineStarts(text.slice(0, cursor)).length, lines: lineStarts(text).length };
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', end + 1)) starts.push(end + 1);
  return starts;
}

function foldLine(text: string, start: number, line: number, room: number): Row[] {
  const end = text.indexOf('\n', start);
  const lineEnd = end < 0 ? text.length : end;
  const rows: Row[] = [];
  let prompt = line === 0 ? PROMPT : CONTINUATION;
  let rowStart = start;
  let offset = start;
  let width = 0;
  for (const grapheme of graphemesOf(text.slice(start, lineEnd))) {
    const columnsTaken = shownWidth(grapheme);
    if (width + columnsTaken > room) {
      rows.push({ prompt, start: rowStart, end: offset });
      prompt = FOLDED;
      rowStart = offset;
      width = 0;
    }
    width += columnsTaken;
    offset += grapheme.length;
  }
  return [...rows, { prompt, start: rowStart, end: lineEnd }];
}

function shownWidth(text: string): number {
  return displayWidth(escapeControls(text));
}
