import { everything, type Rendering, type Result } from './result.js';
import { cellText } from './value.js';

const LINE_END = '\r\n';
const NEEDS_QUOTES = /[",\r\n]|^\s|\s$/;

/**
 * CSV by RFC 4180: a header, CRLF line ends, quotes where needed. NULL is an empty field and the empty text
 * `""`; in a result of one column NULL is `""` too, since readers skip empty lines.
 */
export async function* renderCsv({ columns, chunks }: Result): Rendering {
  yield csvLine(columns.map(({ name }) => name));
  const forNull = columns.length === 1 ? '""' : '';
  let rows = 0;
  for await (const chunk of chunks) {
    rows += chunk.length;
    if (chunk.length > 0) {
      yield chunk
        .map((row) => row.map((value) => csvField(cellText(value), forNull)).join(',') + LINE_END)
        .join('');
    }
  }
  return everything(rows);
}

function csvLine(fields: readonly string[]): string {
  return fields.map((field) => csvField(field, '')).join(',') + LINE_END;
}

function csvField(text: string | undefined, forNull: string): string {
  if (text === undefined) return forNull;
  if (text === '') return '""';
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
