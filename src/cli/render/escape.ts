/** Text that needs no escaping and has one column a character. */
export const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;

/**
 * Characters that could drive a terminal or hide in it: C0 and C1 controls, line and paragraph separators,
 * bidirectional controls, invisible marks, lone surrogates. The zero-width joiner stays: emoji need it.
 */
const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is the purpose
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

const SHORT_ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

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
