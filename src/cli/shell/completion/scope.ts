import { KEYWORD_SET } from '../../sql/keywords.js';
import { type Token, tokenize } from '../../sql/lexer.js';

/** What an unfinished statement says about the place that the cursor stands in. */
export interface Scope {
  /** Whether the place is inside a string or a comment, where nothing can be completed. */
  readonly quoted: boolean;
  /** The name before the dot, in `c.` or `c.cl`. */
  readonly qualifier: string | undefined;
  /** Whether a table belongs here, not a value. */
  readonly wantsTable: boolean;
  /** Tables of the statement by their alias or name, in lower case. */
  readonly tables: ReadonlyMap<string, string>;
  /** Names that the statement itself gives: of `WITH` and of `AS`. */
  readonly names: { readonly tables: readonly string[]; readonly columns: readonly string[] };
}

const BEFORE_TABLE: ReadonlySet<string> = new Set(['from', 'join', 'describe', 'summarize', 'table']);
/** Words that begin another part of a SELECT, so that a comma after them does not follow a table. */
const CLAUSES: ReadonlySet<string> = new Set(
  ['select', 'from', 'where', 'group', 'having', 'order', 'on', 'using', 'limit'].concat([
    'qualify',
    'window',
    'values',
    'with',
  ]),
);

/**
 * Reads the statement around the cursor.
 * @param word length of the word that ends at the cursor, which is not part of what it follows.
 */
export function scopeAt(before: string, after: string, word: number): Scope {
  const tokens = tokenize(before.slice(0, before.length - word));
  const last = tokens.at(-1);
  const quoted = last !== undefined && (!last.closed || (/^--/.test(last.text) && !last.text.includes('\n')));
  const head = significant(tokens.slice(lastSemicolon(tokens) + 1));
  const rest = tokenize(after);
  const end = rest.findIndex(({ kind }) => kind === 'semicolon');
  const tail = significant(end < 0 ? rest : rest.slice(0, end));
  const qualified = head.at(-1)?.text === '.';
  return {
    quoted,
    qualifier: qualified ? nameOf(head.at(-2)) : undefined,
    wantsTable: !qualified && wantsTable(head),
    ...relations([...head, ...tail]),
  };
}

function wantsTable(head: readonly Token[]): boolean {
  const last = head.at(-1);
  if (last === undefined) return false;
  if (isWord(last, BEFORE_TABLE)) return true;
  if (last.text !== ',') return false;
  let depth = 0;
  for (const token of head.slice(0, -1).reverse()) {
    if (token.text === ')') depth += 1;
    else if (token.text === '(') depth -= 1;
    if (depth < 0) return false;
    if (depth === 0 && isWord(token, CLAUSES)) return token.text.toLowerCase() === 'from';
  }
  return false;
}

function relations(tokens: readonly Token[]): Pick<Scope, 'tables' | 'names'> {
  const tables = new Map<string, string>();
  const given: string[] = [];
  const columns: string[] = [];
  for (let index = 0; index < tokens.length; index += 1) {
    const [token, next] = [tokens[index], tokens[index + 1]];
    if (token === undefined) break;
    if (isWord(token, BEFORE_TABLE)) index = readTables(tokens, index + 1, tables) - 1;
    else if (text(next) === 'as' && text(tokens[index + 2]) === '(') given.push(nameOf(token) ?? '');
    else if (text(token) === 'as' && text(next) !== '(') columns.push(nameOf(next) ?? '');
  }
  return { tables, names: { tables: given.filter(isName), columns: columns.filter(isName) } };
}

/** Reads `name [[AS] alias] [, ...]`; returns where it stopped. */
function readTables(tokens: readonly Token[], start: number, tables: Map<string, string>): number {
  let index = start;
  for (;;) {
    let name = nameOf(tokens[index]);
    if (name === undefined) return index;
    index += 1;
    while (text(tokens[index]) === '.' && nameOf(tokens[index + 1]) !== undefined) {
      name = nameOf(tokens[index + 1]) ?? name;
      index += 2;
    }
    if (text(tokens[index]) === 'as') index += 1;
    const alias = nameOf(tokens[index]);
    if (alias !== undefined) index += 1;
    tables.set((alias ?? name).toLowerCase(), name);
    if (text(tokens[index]) !== ',') return index;
    index += 1;
  }
}

/** A name that is no keyword, without its quotes. */
function nameOf(token: Token | undefined): string | undefined {
  if (token?.kind === 'name') return token.text.slice(1, -1).replaceAll('""', '"');
  if (token?.kind !== 'word' || KEYWORD_SET.has(token.text.toLowerCase())) return undefined;
  return token.text;
}

function text(token: Token | undefined): string | undefined {
  return token?.text.toLowerCase();
}

function isWord(token: Token, words: ReadonlySet<string>): boolean {
  return token.kind === 'word' && words.has(token.text.toLowerCase());
}

function isName(name: string): boolean {
  return name !== '';
}

function significant(tokens: readonly Token[]): Token[] {
  return tokens.filter(({ kind }) => kind !== 'space' && kind !== 'comment');
}

function lastSemicolon(tokens: readonly Token[]): number {
  return tokens.findLastIndex(({ kind }) => kind === 'semicolon');
}
