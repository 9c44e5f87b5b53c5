import { existsSync } from 'node:fs';
import { diskHint } from '../../base/disk-hints.js';
import { HxError, messageOf } from '../../base/errors.js';
import { VIEW_NAMES } from '../catalog/catalog.js';
import { placeAt, placeInMessage } from '../place.js';
import { spillError } from '../spill.js';

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
  if (TOO_DEEP.test(message)) return tooDeep(cause);
  const near = offset === undefined ? '' : ` ${place(sql, offset)}`;
  return new HxError('sql', `${sentence(message).replace(/\.$/, '')}${near}.`, {
    hint: hintFor(message),
    facts: offset === undefined ? undefined : { ...placeAt(sql, offset) },
    cause,
  });
}

const ASK_FOR_LESS = 'Ask for less at once: fewer columns, a range of dt, or a LIMIT.';
const NO_ROOM =
  'What does not fit into memory goes to the data folder, where there is no more room for it: free some of that disk.';

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
    return new HxError('failed', sentence(message.replace(/\n.*/s, '')), {
      cause: thrown,
      hint: /offload data block/.test(message) ? `${ASK_FOR_LESS} ${NO_ROOM}` : ASK_FOR_LESS,
    });
  }
  const unspilt = spillError(message, thrown);
  if (unspilt !== undefined) return unspilt;
  const full = /^IO Error/.test(message) ? diskHint(thrown) : undefined;
  if (full !== undefined) return new HxError('failed', sentence(message), { cause: thrown, hint: full });
  if (TOO_DEEP.test(message)) return tooDeep(thrown);
  if (/^FATAL Error/.test(message)) {
    return new HxError('failed', 'DuckDB gave itself up, after an error inside it in another statement.', {
      cause: thrown,
      hint: 'It is started anew: run the statement again.',
    });
  }
  if (/^INTERNAL Error/.test(message)) {
    return new HxError('failed', `DuckDB failed inside: ${sentence(message)}`, {
      cause: thrown,
      hint: 'That is a defect of DuckDB and not of the statement; write it in another way.',
    });
  }
  const inFile = fileError(message, sql, thrown);
  if (inFile !== undefined) return inFile;
  const raised = /^Invalid Input Error: (.*)/s.exec(message)?.[1];
  if (raised !== undefined && /\berror\s*\(/i.test(sql)) {
    return new HxError('sql', raised.trim() || 'The statement failed by its own error().', {
      cause: thrown,
      hint: 'The statement says so itself, with error().',
    });
  }
  const position = placeInMessage(message);
  const line = position !== undefined && sql.includes('\n') ? ` (line ${position.line})` : '';
  return new HxError(
    'sql',
    line === '' ? sentence(message) : `${sentence(message).replace(/\.$/, '')}${line}.`,
    {
      hint: hintFor(message),
      facts: position === undefined ? undefined : { ...position },
      cause: thrown,
    },
  );
}

/** Whether DuckDB refuses every statement after this error: one inside it ends the whole database. */
export function endsDuckdb(error: unknown): boolean {
  const thrown = error instanceof HxError ? error.cause : error;
  return thrown !== undefined && /^(INTERNAL|FATAL) Error/.test(messageOf(thrown));
}

/** DuckDB's own words advise a SET that the lake refuses, or blame memory. */
const TOO_DEEP = /Max expression depth limit|memory exhausted at or near/i;

function tooDeep(cause: unknown): HxError {
  return new HxError('sql', 'The statement is nested too deeply for DuckDB.', {
    hint: 'Break it up, for example with a WITH clause.',
    cause,
  });
}

/** What is wrong with a file that a statement reads, by its name or through a view. */
function fileError(message: string, sql: string, cause: unknown): HxError | undefined {
  if (/^IO Error: No files found/.test(message)) {
    const pattern = /"(.+)"/.exec(message)?.[1] ?? '';
    if (!sql.includes(pattern)) return lostFile(pattern, cause);
    return new HxError('not_found', sentence(message), {
      cause,
      hint: 'SHOW TABLES lists the views of the lake, which need no file names.',
    });
  }
  if (/^IO Error: (Cannot|Could not) open file/.test(message)) {
    return new HxError('failed', sentence(message), {
      cause,
      hint: 'Check the permissions of that file. If an export has just replaced it, run the statement again.',
    });
  }
  if (DAMAGED.test(message)) {
    return new HxError('failed', `A file that the statement reads is damaged: ${sentence(message)}`, {
      cause,
      hint: `hx export verify names the file. ${RESTORE}`,
    });
  }
  if (!/^(Invalid Input|IO) Error/.test(message)) return undefined;
  const named = /"([^"]+\.parquet)"|'(.+\.parquet)'/.exec(message);
  const path = named?.[1] ?? named?.[2];
  // A statement can raise any text of its own; only a file that is there can be damaged.
  if (path === undefined || !existsSync(path)) return undefined;
  return new HxError('failed', sentence(message), {
    cause,
    hint: `A file of the lake is damaged, or not one of hx. ${RESTORE}`,
  });
}

/** A file that is only moved away takes its rows with it. */
const RESTORE =
  'Restore it from a backup, or make that part of the lake anew as docs/exports.md says: without it rows are missing.';

/** What DuckDB's readers of Parquet say of bytes that make no sense, without the file. */
const DAMAGED = /^[A-Za-z ]*Error: (TProtocolException|TTransportException|ZSTD Decompression|Snappy )/i;

/** A view names only live files: compaction has just replaced one, or somebody else took it away. */
function lostFile(pattern: string, cause: unknown): HxError {
  const path = pattern.replace(/\[(.)\]/g, '$1');
  return new HxError('failed', `A file of the lake is gone: ${path}.`, {
    cause,
    hint: `Run it again, as it may have been replaced just now; if that does not help, hx export verify names what is missing. ${RESTORE}`,
  });
}

/** What a misspelt table may have meant: the views, never the system tables that DuckDB suggests too. */
const SUGGESTED: ReadonlySet<string> = new Set([...VIEW_NAMES, 'lake.rows', 'rows']);

function withoutForeignSuggestion(message: string): string {
  return message.replace(
    /^(Catalog Error: Table with name [^\n]* does not exist!)\s+Did you mean "([^"]*)"\?/,
    (whole: string, unknown: string, suggested: string) => (SUGGESTED.has(suggested) ? whole : unknown),
  );
}

/** The first paragraph of DuckDB's message, as one sentence. */
function sentence(message: string): string {
  const [paragraph = ''] = withoutForeignSuggestion(message)
    .replace(/^[A-Za-z ]*Error: /, '')
    .split(/\n\s*\n|\nLINE \d+:/);
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
