import stringWidth from 'string-width';
import { PRINTABLE_ASCII } from './escape.js';

const ELLIPSIS = '…';

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** Columns that a text takes on a terminal: two for wide characters and emoji, none for combining marks. */
export function displayWidth(text: string): number {
  return PRINTABLE_ASCII.test(text) ? text.length : stringWidth(text);
}

/** The user-perceived characters of a text. */
export function graphemesOf(text: string): string[] {
  return PRINTABLE_ASCII.test(text)
    ? [...text]
    : Array.from(graphemes.segment(text), ({ segment }) => segment);
}

/** The text cut to at most `width` columns; a cut text ends in `…`. */
export function truncateToWidth(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const grapheme of graphemesOf(text.slice(0, width * GRAPHEME_UNITS))) {
    used += displayWidth(grapheme);
    if (used > width - 1) break;
    kept += grapheme;
  }
  return kept + ELLIPSIS;
}

/** UTF-16 units looked at per column, so that cutting a megabyte of text to a cell stays cheap. */
const GRAPHEME_UNITS = 16;

/** The text filled with spaces to `width` columns. */
export function padToWidth(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const fill = ' '.repeat(Math.max(0, width - displayWidth(text)));
  return align === 'right' ? fill + text : text + fill;
}
