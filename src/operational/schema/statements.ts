import type { Node } from 'libpg-query';
import { canonicalHash, type JsonValue } from '../../base/canonical.js';
import { HxError } from '../../base/errors.js';
import { find, pick, pickAll } from './tree.js';

/** One statement of a file. */
export interface Statement {
  /** As it stands in the file, from its first word to before its semicolon. */
  readonly text: string;
  /** The line it starts on, from 1. */
  readonly line: number;
  /** What Postgres's own parser made of it; locations in it are bytes from the start of the file. */
  readonly ast: Node;
}

interface RawStatement {
  readonly stmt: Node;
  readonly stmt_location?: number;
  readonly stmt_len?: number;
}

/**
 * Divides a file into its statements, as Postgres 17 reads it.
 * @param name how errors call the file.
 * @throws HxError `conflict` for a syntax error, with its line and column.
 */
export async function parseStatements(name: string, sql: string): Promise<Statement[]> {
  const bytes = Buffer.from(sql);
  const raw = await parse(name, sql);
  return raw.map(({ stmt, stmt_location: from = 0, stmt_len: length }) => {
    const text = bytes.toString('utf8', from, length === undefined ? bytes.length : from + length);
    const start = endOfGap(text);
    const before = bytes.toString('utf8', 0, from).length;
    return { text: text.slice(start).trimEnd(), line: lineOf(sql, before + start), ast: stmt };
  });
}

/**
 * SHA-256 of what a file says to Postgres: comments, white space, the case of keywords and needless quotes do not
 * change it. What stands inside a quoted body, such as a function's, counts as it is.
 * @throws HxError as parseStatements.
 */
export async function semanticHash(name: string, sql: string): Promise<string> {
  const raw = await parse(name, sql);
  return canonicalHash(raw.map(({ stmt }) => withoutLocations(stmt as unknown as JsonValue)));
}

async function parse(name: string, sql: string): Promise<readonly RawStatement[]> {
  // The parser declines a text without any character.
  if (sql === '') return [];
  const { hasSqlDetails, parse: parseSql } = await import('libpg-query');
  try {
    const tree = (await parseSql(sql)) as { readonly stmts?: readonly RawStatement[] };
    return tree.stmts ?? [];
  } catch (error) {
    if (!hasSqlDetails(error)) throw error;
    const { message, cursorPosition } = error.sqlDetails;
    const lines = [...sql].slice(0, cursorPosition).join('').split('\n');
    const column = [...(lines.at(-1) ?? '')].length + 1;
    throw new HxError('conflict', `${name}:${lines.length}:${column}: ${message}`, {
      hint: 'Correct the statement; this is how Postgres itself reads it.',
      cause: error,
    });
  }
}

/** Only numbers are places in the text: a table space has a `location` too, and that one counts. */
function withoutLocations(value: JsonValue): JsonValue {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(withoutLocations);
  const members = Object.entries(value).filter(
    ([key, member]) => !(typeof member === 'number' && /(^|_)(location|len)$/.test(key)),
  );
  return Object.fromEntries(members.map(([key, member]) => [key, withoutLocations(member ?? null)]));
}

/** Where the white space and comments end that a text begins with. Comments nest. */
function endOfGap(text: string): number {
  const gap = /\s+|--[^\n]*|\/\*/y;
  let position = 0;
  for (let match = gap.exec(text); match !== null; match = gap.exec(text)) {
    position = match[0] === '/*' ? endOfComment(text, match.index) : gap.lastIndex;
    gap.lastIndex = position;
  }
  return position;
}

function endOfComment(text: string, start: number): number {
  const edge = /\/\*|\*\//g;
  edge.lastIndex = start;
  let depth = 0;
  for (let match = edge.exec(text); match !== null; match = edge.exec(text)) {
    depth += match[0] === '/*' ? 1 : -1;
    if (depth === 0) return edge.lastIndex;
  }
  return text.length;
}

/** The line, from 1, of a position in UTF-16 units from 0. */
export function lineOf(sql: string, position: number): number {
  return sql.slice(0, position).split('\n').length;
}

const OUTSIDE_KINDS: ReadonlySet<string> = new Set([
  'AlterSystemStmt',
  'CreateSubscriptionStmt',
  'CreateTableSpaceStmt',
  'CreatedbStmt',
  'DropSubscriptionStmt',
  'DropTableSpaceStmt',
  'DropdbStmt',
]);

/** Whether Postgres runs a statement outside of a transaction only. */
export function isRefusedInTransaction(ast: Node): boolean {
  if (pick(ast, 'IndexStmt')?.concurrent || pick(ast, 'DropStmt')?.concurrent) return true;
  if (pick(ast, 'VacuumStmt')?.is_vacuumcmd) return true;
  const cluster = pick(ast, 'ClusterStmt');
  if (cluster !== undefined && cluster.relation === undefined) return true;
  const reindex = pick(ast, 'ReindexStmt');
  if (/_(DATABASE|SCHEMA|SYSTEM)$/.test(reindex?.kind ?? '')) return true;
  if (pickAll(reindex?.params, 'DefElem').some(({ defname }) => defname === 'concurrently')) return true;
  if (find(ast, 'PartitionCmd').some(({ concurrent }) => concurrent)) return true;
  return Object.keys(ast).some((kind) => OUTSIDE_KINDS.has(kind));
}
