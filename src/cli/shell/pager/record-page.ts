import { escapeControls } from '../../render/escape.js';
import type { Column } from '../../render/formats/result.js';
import { cellText } from '../../render/formats/value.js';
import type { Paint } from '../../render/style.js';
import { displayWidth, graphemesOf, padToWidth, truncateToWidth } from '../../render/width.js';

/** Names take at most this share of the width. */
const NAME_SHARE = 0.4;
/** Units of one value that are shown; a file holds what is longer. */
const TEXT_LIMIT = 100_000;
const GAP = '  ';

/** One row as lines: a name and its whole value, folded to the width; line breaks of the value stay. */
export function recordLines(
  columns: readonly Column[],
  row: readonly unknown[],
  { width, paint }: { readonly width: number; readonly paint: Paint },
): string[] {
  const names = columns.map(({ name }) => escapeControls(name));
  const nameWidth = Math.min(Math.floor(width * NAME_SHARE), Math.max(...names.map(displayWidth)));
  const room = Math.max(8, width - nameWidth - GAP.length);
  return names.flatMap((name, index) => {
    const value = row[index];
    const [first = '', ...others] = fold(cellText(value) ?? 'NULL', room).map((line) =>
      value === null ? paint('dim', line) : line,
    );
    return [
      `${paint('bold', padToWidth(truncateToWidth(name, nameWidth), nameWidth))}${GAP}${first}`,
      ...others.map((line) => `${' '.repeat(nameWidth)}${GAP}${line}`),
    ];
  });
}

function fold(text: string, room: number): string[] {
  const lines: string[] = [];
  for (const line of text.slice(0, TEXT_LIMIT).split(/\r\n|\n/)) {
    let row = '';
    let width = 0;
    for (const grapheme of graphemesOf(escapeControls(line))) {
      const columns = displayWidth(grapheme);
      if (width + columns > room) {
        lines.push(row);
        row = '';
        width = 0;
      }
      row += grapheme;
      width += columns;
    }
    lines.push(row);
  }
  if (text.length > TEXT_LIMIT)
    lines.push(`… and ${(text.length - TEXT_LIMIT).toLocaleString('en-US')} more`);
  return lines;
}
