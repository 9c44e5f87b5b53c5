import { HxError, messageOf } from '../base/errors.js';

/**
 * DuckDB's complaint about a statement, without its class prefix and its drawing of the line.
 * @param position offset into the statement where DuckDB gives one.
 */
export function sqlError(
  message: string,
  sql: string,
  position?: string | undefined,
  cause?: unknown,
): HxError {
  const offset = position === undefined ? undefined : Number(position);
  const near = offset === undefined ? '' : ` ${place(sql, offset)}`;
  return new HxError('sql', `${sentence(message).replace(/\.$/, '')}${near}.`, {
    hint: hintFor(message),
    cause,
  });
}

/** Translates what DuckDB throws while a statement is prepared or runs. */
export function engineError(thrown: unknown, sql: string): HxError {
  if (thrown instanceof HxError) return thrown;
  const message = messageOf(thrown);
  if (/^INTERRUPT Error/.test(message)) {
    return new HxError('interrupted', 'The query was interrupted.', { cause: thrown });
  }
  if (/^Permission Error/.test(message) || /has been disabled by configuration/.test(message)) {
    return new HxError('refused', sentence(message.replace(/ - file system operations are.*/s, '')), {
      cause: thrown,
      hint: 'A query reads the lake (the exports folder) and nothing else on this machine.',
    });
  }
  if (/^Out of Memory Error/.test(message)) {
    return new HxError('failed', sentence(message), {
      cause: thrown,
      hint: 'Ask for less at once: fewer columns, a range of created_at, or a LIMIT.',
    });
  }
  if (/^(Invalid Input|IO) Error.*\.parquet/s.test(message)) {
    return new HxError('failed', sentence(message), {
      cause: thrown,
      hint: 'A file of the lake is damaged or of a foreign shape. Move it out of the exports folder.',
    });
  }
  const position = /LINE (\d+):/.exec(message);
  const line = position !== null && sql.includes('\n') ? ` (line ${position[1]})` : '';
  return new HxError(
    'sql',
    line === '' ? sentence(message) : `${sentence(message).replace(/\.$/, '')}${line}.`,
    {
      hint: hintFor(message),
      cause: thrown,
    },
  );
}

/** The first paragraph of DuckDB's message, as one sentence. */
function sentence(message: string): string {
  const [paragraph = ''] = message.replace(/^[A-Za-z ]*Error: /, '').split(/\n\s*\n|\nLINE \d+:/);
  const text = paragraph
    .replace(/\s*\n\s*/g, ' ')
    .trim()
    .replace(/[.!]+$/, '');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('?') ? '' : '.'}`;
}

function place(sql: string, offset: number): string {
  const before = sql.slice(0, offset).split('\n');
  const column = (before.at(-1) ?? '').length + 1;
  return before.length > 1 ? `(line ${before.length}, column ${column})` : `(column ${column})`;
}

function hintFor(message: string): string {
  if (/Table with name .* does not exist/.test(message)) return 'SHOW TABLES lists what the lake has.';
  if (/Referenced column .* not found|does not have a column/.test(message)) {
    return 'DESCRIBE checks lists the columns.';
  }
  if (/Function with name .* does not exist/.test(message)) {
    return 'FROM duckdb_functions() lists the functions.';
  }
  return 'Correct the statement and run it again.';
}
