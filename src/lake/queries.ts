import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseEnvironment } from '../base/environments.js';
import { HxError } from '../base/errors.js';
import { packagePath } from '../base/paths.js';
import { parseUtcDate } from '../base/time.js';
import { readLabels } from './labels.js';
import { nearestName } from './nearest-name.js';

/**
 * `environment` is one of them by name or alias, `environments` one or `all`; `integer` counts from 1; `labels` is the content of a JSON
 * Lines file of claims with their truth.
 */
export type ParameterType =
  | 'text'
  | 'date'
  | 'integer'
  | 'double'
  | 'environment'
  | 'environments'
  | 'labels';

export interface QueryParameter {
  readonly name: string;
  readonly type: ParameterType;
  /** Absent where a value has to be given. */
  readonly default?: string;
  readonly meaning: string;
}

/** A query that ships with hx: a file of sql/queries/, whose first lines say all this. */
export interface ReadyQuery {
  readonly name: string;
  /** The question that it answers. */
  readonly question: string;
  readonly parameters: readonly QueryParameter[];
  /** How to read the answer. */
  readonly note: string;
  /** A command line that asks it. */
  readonly example: string;
  readonly sql: string;
}

/** Every ready query, by name. */
export function readyQueries(): ReadyQuery[] {
  return readdirSync(packagePath('sql', 'queries'))
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) =>
      parseQuery(basename(file, '.sql'), readFileSync(packagePath('sql', 'queries', file), 'utf8')),
    );
}

/**
 * One ready query.
 * @throws HxError `usage` that names the nearest one and lists all.
 */
export function readyQuery(name: string): ReadyQuery {
  const queries = readyQueries();
  const found = queries.find((query) => query.name === name);
  if (found !== undefined) return found;
  const names = queries.map((query) => query.name);
  const nearest = nearestName(name, names);
  throw new HxError('usage', `There is no ready query "${name}".`, {
    hint: `${nearest === undefined ? '' : `Did you mean ${nearest}? `}There are: ${names.join(', ')}.`,
  });
}

/**
 * The values of a ready query's parameters: those given, checked against their types, and the defaults. They are
 * bound to the statement as values.
 * @throws HxError `usage` for a parameter that it does not have, one that it needs, or a value that does not fit.
 */
export function bindParameters(
  query: ReadyQuery,
  given: Readonly<Record<string, string>>,
): Record<string, string | number> {
  const list = query.parameters.map((parameter) => parameter.name).join(', ') || 'none';
  for (const name of Object.keys(given)) {
    if (query.parameters.some((parameter) => parameter.name === name)) continue;
    throw new HxError('usage', `${query.name} has no parameter "${name}".`, { hint: `It takes: ${list}.` });
  }
  const missing = query.parameters.filter(
    ({ name, default: fallback }) => given[name] === undefined && fallback === undefined,
  );
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name).join(' and ');
    const meanings = missing.map(({ name, meaning }) => `${name}: ${meaning}.`).join(' ');
    throw new HxError('usage', `@${query.name} needs a value for ${names}.`, {
      hint: `${meanings} For example: ${query.example}`,
    });
  }
  const values = Object.fromEntries(
    query.parameters.map(({ name, type, default: fallback = '' }) => [
      name,
      readValue(name, type, given[name] ?? fallback),
    ]),
  );
  refuseSameEnvironment(query, values);
  return values;
}

/** A comparison of an environment with itself finds no difference, which looks like an answer. */
function refuseSameEnvironment(
  { parameters, example }: ReadyQuery,
  values: Readonly<Record<string, string | number>>,
): void {
  const names = parameters.filter(({ type }) => type === 'environment').map(({ name }) => name);
  const [first = '', second = ''] = names;
  if (names.length !== 2 || values[first] !== values[second]) return;
  throw new HxError('usage', `${first} and ${second} are both ${values[first]}.`, {
    hint: `Name two environments to compare. For example: ${example}`,
  });
}

function readValue(name: string, type: ParameterType, text: string): string | number {
  switch (type) {
    case 'text':
      return text;
    case 'date':
      parseUtcDate(text, name);
      return text;
    case 'environments':
      return text === 'all' ? text : parseEnvironment(text);
    case 'environment':
      return parseEnvironment(text);
    case 'labels':
      return readLabels(text);
    default:
      return readNumber(name, type, text);
  }
}

function readNumber(name: string, type: 'integer' | 'double', text: string): number {
  const number = Number(text);
  const isCount = Number.isInteger(number) && number >= 1 && number <= MAX_INTEGER;
  if (text.trim() === '' || !Number.isFinite(number) || (type === 'integer' && !isCount)) {
    const kind = type === 'integer' ? `integer from 1 to ${MAX_INTEGER}` : type;
    throw new HxError('usage', `The parameter ${name} is "${text}", which is no ${kind}.`, {
      hint: type === 'integer' ? 'Give a whole number, such as 5.' : 'Give a number, such as 0.3.',
    });
  }
  return number;
}

/** What DuckDB's INTEGER holds. */
const MAX_INTEGER = 2 ** 31 - 1;

const PARAMETER_LINE =
  /^-- param (\w+) (text|date|integer|double|environments?|labels)(?: ([^\s:]+))?: (.+)$/;

/** Reads the comment lines at the top of a query's file: question, parameters, notes, example. */
function parseQuery(name: string, sql: string): ReadyQuery {
  const [first = '', ...rest] = sql.split('\n');
  const question = /^-- (.+\?)$/.exec(first)?.[1];
  const header = rest.slice(
    0,
    rest.findIndex((line) => !line.startsWith('-- ')),
  );
  const notes = header.flatMap((line) => /^-- note: (.+)$/.exec(line)?.[1] ?? []);
  const [example] = header.flatMap((line) => /^-- example: (.+)$/.exec(line)?.[1] ?? []);
  if (question === undefined || notes.length === 0 || example === undefined) {
    throw new HxError(
      'bug',
      `sql/queries/${name}.sql does not say what it answers, how to read it and an example.`,
    );
  }
  const parameters = header.flatMap((line): QueryParameter[] => {
    const [, parameter, type, fallback, meaning] = PARAMETER_LINE.exec(line) ?? [];
    if (parameter === undefined || meaning === undefined) return [];
    const declared = { name: parameter, type: type as ParameterType, meaning };
    return [fallback === undefined ? declared : { ...declared, default: fallback }];
  });
  return {
    name,
    question,
    parameters,
    note: notes.join(' '),
    example: `hx query @${name} --param ${example}`,
    sql,
  };
}
