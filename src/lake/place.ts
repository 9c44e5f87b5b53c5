/** Where in a statement something is wrong: what an error carries as facts, and whoever shows it may draw. */
export interface Place {
  /** Line of the statement, from 1. */
  readonly line: number;
  /** That line, or the part of it around the place. */
  readonly excerpt: string;
  /** Offset of the place into the excerpt, in UTF-16 units; absent where it is not known for certain. */
  readonly caret?: number;
}

/** Units shown on either side of the place in a long line. */
const EXCERPT_HALF = 50;
const CUT = '...';

/** The place at a position, which the engine's parser counts in characters. */
export function placeAt(sql: string, position: number): Place {
  const before = [...sql].slice(0, position).join('').split('\n');
  const column = (before.at(-1) ?? '').length;
  const text = sql.split('\n')[before.length - 1] ?? '';
  const start = column > EXCERPT_HALF && text.length > 2 * EXCERPT_HALF ? column - EXCERPT_HALF : 0;
  const end = column + EXCERPT_HALF < text.length ? column + EXCERPT_HALF : text.length;
  const head = start > 0 ? CUT : '';
  const excerpt = `${head}${text.slice(start, end)}${end < text.length ? CUT : ''}`;
  return { line: before.length, excerpt, caret: head.length + column - start };
}

/** The place that the engine draws below its message: `LINE 2: select nope`, and a caret below it. */
export function placeInMessage(message: string): Place | undefined {
  const drawing = /\n(LINE (\d+): )(.*)\n( *)\^/.exec(message);
  if (drawing === null) return undefined;
  const [, label = '', line = '1', excerpt = '', indent = ''] = drawing;
  const caret = indent.length - label.length;
  // The engine counts wide characters in its own way: before the place there must be none.
  const isCertain = caret >= 0 && /^[\x20-\x7e]*$/.test(excerpt.slice(0, caret));
  return { line: Number(line), excerpt, ...(isCertain ? { caret } : {}) };
}
