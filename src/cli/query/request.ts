import { HxError } from '../../base/errors.js';
import type { QuerySession, Statement } from '../../handlers/query-session.js';
import { statementsOf, tokenize } from '../sql/lexer.js';

/** A ready query with its parameters, in a line of its own. */
const READY_LINE = /^@.*$/;

/**
 * Reads `--param name=value` flags.
 * @throws HxError `usage` for one without a name or given twice.
 */
export function parseParameters(flags: readonly string[]): Record<string, string> {
  const parameters: Record<string, string> = {};
  for (const flag of flags) {
    const [, name, value] = /^([A-Za-z_]\w*)=([\s\S]*)$/.exec(flag) ?? [];
    if (name === undefined || value === undefined) {
      throw new HxError('usage', `"${flag}" is not a parameter.`, { hint: 'Write --param name=value.' });
    }
    if (Object.hasOwn(parameters, name)) throw new HxError('usage', `The parameter ${name} is given twice.`);
    parameters[name] = value;
  }
  return parameters;
}

/** The words of a line, as a shell splits it: white space within quotes is part of a word. */
export function wordsOf(line: string): string[] {
  const words = line.match(/(?:[^\s"']|"[^"]*"|'[^']*'|["'])+/g) ?? [];
  return words.map((word) => word.replace(/"([^"]*)"|'([^']*)'/g, '$1$2'));
}

/** Ready queries, and a way to the files that they take. */
export interface ReadySource {
  readonly session: Pick<QuerySession, 'ready' | 'readyQueries'>;
  readonly readFile: (name: string) => Promise<string>;
}

/**
 * The statement of a ready query. A parameter that is a file is read here and passed on as text, so that
 * neither the engine nor a handler opens a path that somebody gave.
 * @throws HxError `usage` for an unknown name, a parameter that does not fit, or a file that cannot be read.
 */
export async function readyStatement(
  { session, readFile }: ReadySource,
  name: string,
  parameters: Readonly<Record<string, string>>,
): Promise<Statement> {
  const values = { ...parameters };
  const declared = session.readyQueries().find((query) => query.name === name)?.parameters ?? [];
  for (const { name: parameter, type } of declared) {
    const file = values[parameter];
    if (type === 'labels' && file !== undefined) values[parameter] = await readFile(file);
  }
  return session.ready(name, values);
}

/**
 * The statements that a text asks for: those of its SQL, or the ready query `@name parameter=value ...`.
 * @throws HxError `usage` for an empty text, an unknown ready query or a command of the shell.
 */
export async function statementsFor(
  source: ReadySource,
  text: string,
  parameters: Readonly<Record<string, string>>,
): Promise<Statement[]> {
  const line = text.trim().replace(/\s*;$/, '');
  if (READY_LINE.test(line)) {
    const [name = '', ...flags] = wordsOf(line.slice(1));
    return [await readyStatement(source, name, merged(parseParameters(flags), parameters))];
  }
  const statements = statementsOf(text);
  const command = statements.find((statement) => statement.startsWith('.'));
  if (command !== undefined) {
    throw new HxError('usage', `${command.split(/\s/, 1)[0]} is a command of the shell, and no SQL.`, {
      hint: 'hx query without SQL opens the shell on a terminal; .read FILE runs a file there.',
    });
  }
  if (statements.length === 0) {
    throw new HxError('usage', 'There is no SQL to run.', {
      hint: 'Give a statement: hx query "SELECT count(*) FROM checks", or hx query --list for ready ones.',
    });
  }
  if (statements.length === 1) return statements.map((sql) => ({ sql, parameters }));
  return shareOut(statements, parameters);
}

function merged(
  named: Readonly<Record<string, string>>,
  others: Readonly<Record<string, string>>,
): Record<string, string> {
  const twice = Object.keys(named).find((name) => Object.hasOwn(others, name));
  if (twice !== undefined) throw new HxError('usage', `The parameter ${twice} is given twice.`);
  return { ...named, ...others };
}

/** Several statements: each gets the parameters it mentions, and one that none mentions is a mistake. */
function shareOut(sqls: readonly string[], parameters: Readonly<Record<string, string>>): Statement[] {
  const mentioned = sqls.map(parametersIn);
  const stray = Object.keys(parameters).find((name) => !mentioned.some((names) => names.has(name)));
  if (stray !== undefined) {
    throw new HxError('usage', `No statement has a parameter "${stray}".`, {
      hint: `Write $${stray} in the SQL where its value belongs.`,
    });
  }
  return sqls.map((sql, index) => {
    const own = Object.entries(parameters).filter(([name]) => mentioned[index]?.has(name));
    return { sql, parameters: Object.fromEntries(own) };
  });
}

function parametersIn(sql: string): Set<string> {
  const tokens = tokenize(sql);
  const names = tokens.flatMap(({ kind, text }, index) =>
    kind === 'word' && tokens[index - 1]?.text === '$' ? [text] : [],
  );
  return new Set(names);
}
