import { escapeControls } from '../render/escape.js';
import { displayWidth, graphemesOf } from '../render/width.js';
import type { Editor } from './editor.js';

export const PROMPT = 'hx> ';
export const CONTINUATION = '..> ';

/** Lines on the screen, and where the cursor stands among them. */
export interface Layout {
  readonly rows: readonly { readonly prompt: string; readonly text: string }[];
  readonly x: number;
  readonly y: number;
}

/**
 * Folds the text being typed into rows of at most `columns` columns, and keeps the `maxRows` around the cursor:
 * what is drawn live must stay smaller than the window.
 */
export function layoutEditor({ text, cursor }: Editor, columns: number, maxRows: number): Layout {
  const room = Math.max(8, columns - PROMPT.length - 1);
  const rows: { prompt: string; text: string }[] = [];
  let x = 0;
  let y = 0;
  let offset = 0;
  for (const [index, line] of text.split('\n').entries()) {
    let prompt = index === 0 ? PROMPT : CONTINUATION;
    let row = '';
    let width = 0;
    for (const grapheme of graphemesOf(line)) {
      const shown = escapeControls(grapheme);
      const columnsTaken = displayWidth(shown);
      if (width + columnsTaken > room) {
        rows.push({ prompt, text: row });
        prompt = ' '.repeat(PROMPT.length);
        row = '';
        width = 0;
      }
      if (offset === cursor) [x, y] = [PROMPT.length + width, rows.length];
      row += shown;
      width += columnsTaken;
      offset += grapheme.length;
    }
    if (offset === cursor) [x, y] = [PROMPT.length + width, rows.length];
    rows.push({ prompt, text: row });
    offset += 1;
  }
  const first = Math.max(0, Math.min(y - maxRows + 1, rows.length - maxRows));
  return { rows: rows.slice(first, first + maxRows), x, y: y - first };
}
