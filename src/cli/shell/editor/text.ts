import { displayWidth, graphemesOf } from '../../render/width.js';

/** What is being typed: a text of any number of lines, and a place in it as an offset in UTF-16 units. */
export interface Editor {
  readonly text: string;
  readonly cursor: number;
}

export const EMPTY: Editor = { text: '', cursor: 0 };

/** A text with the cursor at its end. */
export function editorOf(text: string): Editor {
  return { text, cursor: text.length };
}

export function insert({ text, cursor }: Editor, added: string): Editor {
  return { text: text.slice(0, cursor) + added + text.slice(cursor), cursor: cursor + added.length };
}

/** Replaces the last `length` units before the cursor. */
export function replaceBefore(editor: Editor, length: number, replacement: string): Editor {
  return insert(cut(editor, editor.cursor - length, editor.cursor), replacement);
}

export const MOVES = {
  left: ({ text, cursor }) =>
    cursor - (graphemesOf(text.slice(lineStart(text, cursor), cursor)).at(-1) ?? '\n').length,
  right: ({ text, cursor }) =>
    cursor + (graphemesOf(text.slice(cursor, lineEnd(text, cursor)))[0] ?? '\n').length,
  lineStart: ({ text, cursor }) => lineStart(text, cursor),
  lineEnd: ({ text, cursor }) => lineEnd(text, cursor),
  textStart: () => 0,
  textEnd: ({ text }) => text.length,
  wordLeft: ({ text, cursor }) => /[\p{L}\p{N}_]*[^\p{L}\p{N}_]*$/u.exec(text.slice(0, cursor))?.index ?? 0,
  wordRight: ({ text, cursor }) =>
    cursor + (/^[^\p{L}\p{N}_]*[\p{L}\p{N}_]*/u.exec(text.slice(cursor))?.[0].length ?? 0),
  spaceLeft: ({ text, cursor }) => /\S*\s*$/.exec(text.slice(0, cursor))?.index ?? 0,
} as const satisfies Record<string, (editor: Editor) => number>;

export type Move = keyof typeof MOVES;

export function moveTo(editor: Editor, move: Move): Editor {
  return { text: editor.text, cursor: clamp(editor.text, MOVES[move](editor)) };
}

/** Deletes from the cursor to where the move would have gone. */
export function deleteTo(editor: Editor, move: Move): Editor {
  const [from, to] = span(editor, move);
  return cut(editor, from, to);
}

/** What `deleteTo` would delete. */
export function textTo(editor: Editor, move: Move): string {
  return editor.text.slice(...span(editor, move));
}

/** The column on the screen that the cursor stands in within its line. */
export function columnOf({ text, cursor }: Editor): number {
  return displayWidth(text.slice(lineStart(text, cursor), cursor));
}

/**
 * Lines up or down as far as there are any, to the wanted column or the end of a shorter line; `undefined` where
 * the cursor is in the first or last line already.
 */
export function moveLines(editor: Editor, lines: number, column = columnOf(editor)): Editor | undefined {
  let { text, cursor } = editor;
  let left = Math.abs(lines);
  let moved = false;
  for (; left > 0; left -= 1) {
    const start = lineStart(text, cursor);
    const end = lineEnd(text, cursor);
    if (lines < 0 ? start === 0 : end === text.length) break;
    cursor = lines < 0 ? lineStart(text, start - 1) : end + 1;
    moved = true;
  }
  return moved ? { text, cursor: atColumn(text, cursor, column) } : undefined;
}

function atColumn(text: string, start: number, column: number): number {
  let cursor = start;
  let width = 0;
  for (const grapheme of graphemesOf(text.slice(start, lineEnd(text, start)))) {
    width += displayWidth(grapheme);
    if (width > column) break;
    cursor += grapheme.length;
  }
  return cursor;
}

function span(editor: Editor, move: Move): [from: number, to: number] {
  const target = clamp(editor.text, MOVES[move](editor));
  return [Math.min(target, editor.cursor), Math.max(target, editor.cursor)];
}

function cut({ text }: Editor, from: number, to: number): Editor {
  return { text: text.slice(0, from) + text.slice(to), cursor: from };
}

function lineStart(text: string, cursor: number): number {
  return cursor === 0 ? 0 : text.lastIndexOf('\n', cursor - 1) + 1;
}

function lineEnd(text: string, cursor: number): number {
  const end = text.indexOf('\n', cursor);
  return end < 0 ? text.length : end;
}

function clamp(text: string, cursor: number): number {
  return Math.max(0, Math.min(text.length, cursor));
}
