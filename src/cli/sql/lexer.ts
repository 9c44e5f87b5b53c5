/** Kinds of SQL tokens, as far as finding statements and colouring them needs. */
export type TokenKind = 'space' | 'comment' | 'string' | 'name' | 'word' | 'number' | 'semicolon' | 'other';

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  /** False for a string, quoted name or comment that the text ends inside of. */
  readonly closed: boolean;
}

/**
 * Tokens that one pattern can tell, tried in this order at each place: several times quicker than one pattern after
 * the other, which is felt at every key in a long text. What is quoted is followed by a group of its closing quote.
 */
const TOKEN = new RegExp(
  [
    String.raw`(\s+)`,
    String.raw`(--[^\n]*)`,
    String.raw`([eE]'(?:[^'\\]+|\\[\s\S]?|'')*('?))`,
    `('(?:[^']+|'')*('?))`,
    `("(?:[^"]+|"")*("?))`,
    String.raw`([A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)`,
    String.raw`(\d[\w.]*)`,
  ].join('|'),
  'y',
);
const CLOSING = undefined;
/** The kinds by the pattern's groups. */
const KINDS: readonly (TokenKind | undefined)[] = [
  ...([undefined, 'space', 'comment', 'string', CLOSING, 'string', CLOSING, 'name', CLOSING] as const),
  ...(['word', 'number'] as const),
];
const DOLLAR_TAG = /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y;

/**
 * Splits SQL into tokens that, put together again, are the text. Follows DuckDB: nested comments, `$tag$`, `e''`.
 * @param from offset of a token's start to begin at.
 */
export function tokenize(sql: string, from = 0): Token[] {
  const tokens: Token[] = [];
  let position = from;
  while (position < sql.length) {
    const token = tokenAt(sql, position);
    tokens.push(token);
    position += token.text.length;
  }
  return tokens;
}

/** The token that starts at an offset within the text. */
export function tokenAt(sql: string, position: number): Token {
  const character = sql[position] ?? '';
  if (character === ';') return token('semicolon', ';');
  if (character === '/' && sql[position + 1] === '*') return blockComment(sql, position);
  if (character === '$') {
    const tag = matchAt(DOLLAR_TAG, sql, position);
    if (tag !== undefined) return dollarString(sql, position, tag[0]);
  }
  const match = matchAt(TOKEN, sql, position);
  if (match === undefined) return token('other', String.fromCodePoint(sql.codePointAt(position) ?? 0));
  const group = match.indexOf(match[0], 1);
  const kind = KINDS[group] ?? 'other';
  const isQuoted = kind === 'string' || kind === 'name';
  return token(kind, match[0], !isQuoted || match[group + 1] !== '');
}

function token(kind: TokenKind, text: string, closed = true): Token {
  return { kind, text, closed };
}

function matchAt(pattern: RegExp, sql: string, position: number): RegExpExecArray | undefined {
  pattern.lastIndex = position;
  return pattern.exec(sql) ?? undefined;
}

function blockComment(sql: string, start: number): Token {
  const marks = /\/\*|\*\//g;
  marks.lastIndex = start;
  let depth = 0;
  for (let match = marks.exec(sql); match !== null; match = marks.exec(sql)) {
    depth += match[0] === '/*' ? 1 : -1;
    if (depth === 0) return token('comment', sql.slice(start, marks.lastIndex));
  }
  return token('comment', sql.slice(start), false);
}

function dollarString(sql: string, start: number, tag: string): Token {
  const end = sql.indexOf(tag, start + tag.length);
  if (end < 0) return token('string', sql.slice(start), false);
  return token('string', sql.slice(start, end + tag.length));
}

export interface SplitSql {
  /** Statements that ended in `;`, without it, in order. Those of comments and white space alone are left out. */
  readonly complete: string[];
  /** The statement that has not ended yet, empty when there is none. */
  readonly rest: string;
  /** Whether the rest ends inside a string, quoted name or comment. */
  readonly open: boolean;
}

/** Splits SQL at its semicolons. */
export function splitSql(sql: string): SplitSql {
  const complete: string[] = [];
  let text = '';
  let hasContent = false;
  let open = false;
  for (const { kind, text: part, closed } of tokenize(sql)) {
    if (kind === 'semicolon') {
      if (hasContent) complete.push(text.trim());
      text = '';
      hasContent = false;
      continue;
    }
    text += part;
    open = !closed;
    if (kind !== 'space' && kind !== 'comment') hasContent = true;
  }
  return { complete, rest: hasContent || open ? text.trim() : '', open };
}

/** Every statement of a text, the last one with or without its semicolon. */
export function statementsOf(sql: string): string[] {
  const { complete, rest, open } = splitSql(sql);
  const isOnlyComment = open && tokenize(rest).every(({ kind }) => kind === 'comment' || kind === 'space');
  return rest === '' || isOnlyComment ? complete : [...complete, rest];
}
