/** A statement that begins, ends or divides a transaction, and the line (from 1) that it starts on. */
export interface TransactionControl {
  readonly keyword: string;
  readonly line: number;
}

/** What a file is made of, as the server reads it: comments nest, and in E'' a backslash escapes. */
const TOKENS = [
  ['space', /[ \t\n\r\f\v]+|--[^\n\r]*/y],
  ['comment', /\/\*/y],
  ['text', /[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"/sy],
  ['dollar', /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y],
  ['word', /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y],
  ['number', /\d[\w.]*/y],
  ['mark', /./sy],
] as const;
type TokenKind = (typeof TOKENS)[number][0];

interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly start: number;
}

/** A statement that starts so is transaction control, whatever follows. */
const CONTROL = new Set([
  'abort',
  'begin',
  'commit',
  'end',
  'prepare transaction',
  'release',
  'rollback',
  'savepoint',
  'start',
]);

/**
 * Finds the first statement of a file that would begin, end or divide the transaction it runs in. What stands in
 * quotes, dollar quotes, comments, parentheses and BEGIN ATOMIC bodies is no statement of its own.
 */
export function findTransactionControl(sql: string): TransactionControl | undefined {
  let statement: Token[] = [];
  let parentheses = 0;
  let blocks = 0;
  for (const token of tokenise(sql)) {
    if (token.text === ';' && parentheses === 0 && blocks === 0) {
      const found = control(statement, sql);
      if (found !== undefined) return found;
      statement = [];
      continue;
    }
    statement.push(token);
    if (token.text === '(') parentheses += 1;
    else if (token.text === ')') parentheses = Math.max(0, parentheses - 1);
    else if (isRoutine(statement)) blocks = Math.max(0, blocks + opened(token, blocks));
  }
  return control(statement, sql);
}

function control(statement: readonly Token[], sql: string): TransactionControl | undefined {
  const [first] = statement;
  if (first === undefined) return undefined;
  const keyword = [words(statement, 1), words(statement, 2)].find((start) => CONTROL.has(start));
  return keyword === undefined ? undefined : { keyword, line: lineOf(sql, first.start) };
}

/** Only the body of a routine can be BEGIN ATOMIC ... END, which has semicolons of its own. */
function isRoutine(statement: readonly Token[]): boolean {
  return /^create (or replace )?(function|procedure)\b/.test(words(statement, 4));
}

/** By how much a word of a routine opens (1) or closes (-1) a block. */
function opened({ kind, text }: Token, blocks: number): number {
  if (kind !== 'word') return 0;
  const word = text.toLowerCase();
  if (word === 'begin' || (word === 'case' && blocks > 0)) return 1;
  return word === 'end' ? -1 : 0;
}

function words(statement: readonly Token[], count: number): string {
  return statement
    .slice(0, count)
    .map(({ text }) => text.toLowerCase())
    .join(' ');
}

function* tokenise(sql: string): Generator<Token> {
  let position = 0;
  while (position < sql.length) {
    const token = tokenAt(sql, position);
    const { kind, text } = token;
    if (kind === 'comment') position = endOfComment(sql, position);
    else if (kind === 'dollar') position = endOfDollar(sql, position, text);
    else position += text.length;
    if (kind !== 'space' && kind !== 'comment') yield token;
  }
}

function tokenAt(sql: string, start: number): Token {
  for (const [kind, pattern] of TOKENS) {
    pattern.lastIndex = start;
    const text = pattern.exec(sql)?.[0];
    if (text !== undefined) return { kind, text, start };
  }
  throw new RangeError(`Nothing at ${start} of ${sql.length}.`);
}

function endOfComment(sql: string, start: number): number {
  const edge = /\/\*|\*\//g;
  edge.lastIndex = start;
  let depth = 0;
  for (let match = edge.exec(sql); match !== null; match = edge.exec(sql)) {
    depth += match[0] === '/*' ? 1 : -1;
    if (depth === 0) return edge.lastIndex;
  }
  return sql.length;
}

function endOfDollar(sql: string, start: number, tag: string): number {
  const end = sql.indexOf(tag, start + tag.length);
  return end === -1 ? sql.length : end + tag.length;
}

export function lineOf(sql: string, position: number): number {
  return sql.slice(0, position).split('\n').length;
}
