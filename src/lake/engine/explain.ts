/** A statement without the EXPLAIN before it. */
export interface Explained {
  /** EXPLAIN with its options, written anew. */
  readonly prefix: string;
  readonly statement: string;
}

const WORD = /\w+/y;
const SPACE = /\s+/y;
const OPTION = /^(analyze|format\s+\w+)$/i;

/**
 * Takes EXPLAIN and its options off the front of a text, since DuckDB's parser gives no tree of an EXPLAIN.
 * It decides nothing: what is left has to pass the guard by itself, and the prefix is made of known words only.
 * @returns undefined where the text does not begin with EXPLAIN.
 */
export function splitExplain(sql: string): Explained | undefined {
  let at = skipBlank(sql, 0);
  if (wordAt(sql, at) !== 'EXPLAIN') return undefined;
  at = skipBlank(sql, at + 'EXPLAIN'.length);
  let prefix = 'EXPLAIN';
  if (wordAt(sql, at) === 'ANALYZE') {
    prefix += ' ANALYZE';
    at = skipBlank(sql, at + 'ANALYZE'.length);
  }
  const end = sql.indexOf(')', at);
  if (sql[at] === '(' && end !== -1) {
    const options = sql.slice(at + 1, end).split(',');
    if (options.every((option) => OPTION.test(option.trim()))) {
      prefix += ` (${options.map((option) => option.trim()).join(', ')})`;
      at = end + 1;
    }
  }
  return { prefix, statement: sql.slice(at) };
}

/** The first word of a text in capitals, comments and brackets before it left out; empty where there is none. */
export function firstWord(sql: string): string {
  let at = skipBlank(sql, 0);
  while (sql[at] === '(' || sql[at] === ';') at = skipBlank(sql, at + 1);
  return wordAt(sql, at) ?? '';
}

function wordAt(sql: string, at: number): string | undefined {
  WORD.lastIndex = at;
  return WORD.exec(sql)?.[0].toUpperCase();
}

/** Where the white space and the comments end that begin at `at`; in SQL a block comment holds others. */
function skipBlank(sql: string, at: number): number {
  let position = at;
  for (;;) {
    const before = position;
    SPACE.lastIndex = position;
    position += SPACE.exec(sql)?.[0].length ?? 0;
    if (sql.startsWith('--', position)) {
      const end = sql.indexOf('\n', position);
      position = end === -1 ? sql.length : end;
    } else if (sql.startsWith('/*', position)) {
      position = endOfComment(sql, position);
    }
    if (position === before) return position;
  }
}

function endOfComment(sql: string, start: number): number {
  let depth = 0;
  for (let at = start; at < sql.length; at += 1) {
    const pair = sql.slice(at, at + 2);
    if (pair === '/*') depth += 1;
    else if (pair === '*/') depth -= 1;
    else continue;
    at += 1;
    if (depth === 0) return at + 1;
  }
  return sql.length;
}
