import stringWidth from 'string-width';

const ELLIPSIS = '…';
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;

/**
 * Characters that could drive a terminal or hide in it: C0 and C1 controls, line and paragraph separators,
 * bidirectional controls, invisible marks, lone surrogates. The zero-width joiner stays: emoji need it.
 */
const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is the purpose
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

const SHORT_ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** Columns that a text takes on a terminal: two for wide characters and emoji, none for combining marks. */
export function displayWidth(text: string): number {
  return PRINTABLE_ASCII.test(text) ? text.length : stringWidth(text);
}

/** The text with every control character spelled out (`\n`, `\x1b`, `\u202e`), so that data stays data. */
export function escapeControls(text: string): string {
  if (PRINTABLE_ASCII.test(text)) return text;
  return text.replace(UNSAFE, (character) => {
    const code = character.charCodeAt(0);
    const long =
      code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
    return SHORT_ESCAPES[character] ?? long;
  });
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
