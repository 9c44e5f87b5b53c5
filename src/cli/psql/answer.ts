import { HxError } from '../../base/errors.js';
import type { Answer, SqlSession } from '../../handlers/db-psql.js';
import { drainRendering } from '../output.js';
import type { Sheet } from '../query/print.js';
import { renderResult, rowCount, shownNote, type TextFormat } from '../render/formats/index.js';
import { tokenize } from '../sql/lexer.js';

const HOW_TO_GET_ALL = 'All of it: hx db psql --plain -c "..." in a pipe.';

/**
 * Runs statements one after the other, each once the answer before it is printed, and stops at the first that fails.
 * JSON stays one value: the rows or what was done, or an array of those when there are several statements.
 */
export async function answerAll(
  session: SqlSession,
  statements: readonly string[],
  format: TextFormat,
  sheet: Sheet,
  signal: AbortSignal,
): Promise<void> {
  const nested = format === 'json' && statements.length !== 1;
  if (nested) await sheet.write('[\n');
  for (const [index, statement] of statements.entries()) {
    if (index > 0) await sheet.write(nested ? ',\n' : '\n');
    await answer(session, statement, format, sheet, signal);
  }
  if (nested) await sheet.write(']\n');
}

/** Runs one statement and prints its answer. */
export async function answer(
  session: SqlSession,
  statement: string,
  format: TextFormat,
  sheet: Sheet,
  signal: AbortSignal,
): Promise<void> {
  refuseCopy(statement);
  const result = await session.run(statement, signal);
  if (result.columns.length === 0) {
    await drain(result);
    const done = format === 'json' ? JSON.stringify({ done: result.done() }) : result.done();
    if (done !== '') await sheet.write(`${done}\n`);
    return;
  }
  const shown = await drainRendering(renderResult(format, result, sheet), sheet.write);
  if (format !== 'table') return;
  const note = shownNote(shown, HOW_TO_GET_ALL);
  await sheet.write(`${sheet.paint('dim', note ?? rowCount(shown.shown))}\n`);
}

async function drain({ chunks }: Answer): Promise<void> {
  for await (const _rows of chunks);
}

/** Its bytes would go to nobody, and the session would wait for ever. */
function refuseCopy(statement: string): void {
  const words = tokenize(statement)
    .filter(({ kind }) => kind === 'word')
    .map(({ text }) => text.toLowerCase());
  if (words[0] !== 'copy' || !words.some((word) => word === 'stdin' || word === 'stdout')) return;
  throw new HxError('usage', 'COPY from standard input or to standard output needs psql.', {
    hint: 'Install psql, or use hx db dump and hx db restore for all data.',
  });
}
