import { escapeControls } from '../escape.js';
import { everything, type Rendering, type Result } from './result.js';
import { cellText, isNumeric } from './value.js';

/** A Markdown table of every row: pipes escaped, line breaks as `<br>`, NULL empty, numbers flush right. */
export async function* renderMarkdown({ columns, chunks }: Result): Rendering {
  yield line(columns.map(({ name }) => markdownCell(name)));
  yield line(columns.map(({ type }) => (isNumeric(type) ? '--:' : '---')));
  let rows = 0;
  for await (const chunk of chunks) {
    if (chunk.length > 0) {
      yield chunk.map((row) => line(row.map((value) => markdownCell(cellText(value) ?? '')))).join('');
    }
    rows += chunk.length;
  }
  return everything(rows);
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |\n`;
}

/** Backslashes first, or the one before an escaped pipe would undo the escape. */
function markdownCell(text: string): string {
  return text
    .split(/\r\n|\r|\n/)
    .map((part) =>
      escapeControls(part.replaceAll('\\', '\\\\').replaceAll('|', '\\|').replaceAll('<', '&lt;')),
    )
    .join('<br>');
}
