import type { Writable } from 'node:stream';
import { HxError } from '../../base/errors.js';
import type { QuerySession, Statement } from '../../handlers/query-session.js';
import { columnsOf, isTerminal } from '../context.js';
import { drainRendering, streamWriter, type WriteText, writeFileWhole } from '../output.js';
import { type Format, renderResult, shownNote, type TextFormat } from '../render/formats/index.js';
import type { Paint } from '../render/style.js';
import { plain } from '../render/style.js';

/** Rows of a table on a terminal: about four screens; past that a person wants a file or a narrower question. */
export const TERMINAL_ROWS = 200;

export const HOW_TO_GET_ALL = 'All of it: --format csv, -o FILE, or a pipe.';

/** Where a text result goes and how much of it fits there. */
export interface Sheet {
  readonly write: WriteText;
  readonly width: number;
  readonly rowLimit: number;
  readonly paint: Paint;
}

/** The sheet that a stream is: a terminal has a width and a row limit, a pipe has neither. */
export function sheetOf(stream: Writable, signal: AbortSignal, paint: Paint): Sheet {
  const terminal = isTerminal(stream);
  return {
    write: streamWriter(stream, signal),
    width: terminal ? columnsOf(stream) : Number.POSITIVE_INFINITY,
    rowLimit: terminal ? TERMINAL_ROWS : Number.POSITIVE_INFINITY,
    paint,
  };
}

/**
 * Prints the results of statements one after the other; each runs once the one before it is printed. JSON stays
 * one value: an array of rows, or of such arrays when there are several statements. Tables, CSV and Markdown
 * are set apart by an empty line.
 * @returns a note for the reader when something was left out.
 */
export async function printStatements(
  session: QuerySession,
  statements: readonly Statement[],
  format: TextFormat,
  sheet: Sheet,
  signal: AbortSignal,
): Promise<string | undefined> {
  const nested = format === 'json' && statements.length > 1;
  const notes: string[] = [];
  for (const [index, statement] of statements.entries()) {
    const result = await session.run(statement, signal);
    if (nested) await sheet.write(index === 0 ? '[\n' : ',\n');
    else if (index > 0 && format !== 'ndjson' && format !== 'json')
      await sheet.write(format === 'csv' ? '\r\n' : '\n');
    const note = shownNote(
      await drainRendering(renderResult(format, result, sheet), sheet.write),
      HOW_TO_GET_ALL,
    );
    if (note !== undefined) notes.push(note);
  }
  if (nested) await sheet.write(']\n');
  return notes.at(-1);
}

/**
 * Writes the result of one statement, or in a text format of several, to a file that appears only when whole.
 * @throws HxError `usage` for several statements in one Parquet file.
 */
export async function writeResults(
  session: QuerySession,
  statements: readonly Statement[],
  format: Format,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  if (format !== 'parquet') {
    await writeFileWhole(path, async (write) => {
      await printStatements(session, statements, format, { write, ...UNLIMITED }, signal);
    });
    return;
  }
  const [statement, second] = statements;
  if (statement === undefined || second !== undefined) {
    throw new HxError(
      'usage',
      `A Parquet file holds one result, and there are ${statements.length} statements.`,
      {
        hint: 'Run them one at a time, each with its own -o FILE.',
      },
    );
  }
  await session.writeParquet(await session.run(statement, signal), path);
}

const UNLIMITED = {
  width: Number.POSITIVE_INFINITY,
  rowLimit: Number.POSITIVE_INFINITY,
  paint: plain,
} as const;
