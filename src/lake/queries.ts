import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { HxError } from '../base/errors.js';
import { packagePath } from '../base/paths.js';
import { parseUtcDate } from '../base/time.js';

export type ParameterType = 'text' | 'date' | 'integer' | 'double';

export interface QueryParameter {
  readonly name: string;
  readonly type: ParameterType;
  readonly default: string;
}

/** A query that ships with hx: a file of sql/queries/. */
export interface ReadyQuery {
  readonly name: string;
  /** The question that it answers. */
  readonly question: string;
  readonly parameters: readonly QueryParameter[];
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
 * The values of a ready query's parameters: those given, checked against their types, and the defaults.
 * @throws HxError `usage` for a parameter that it does not have or a value that does not fit.
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
  return Object.fromEntries(
    query.parameters.map(({ name, type, default: fallback }) => [
      name,
      read(name, type, given[name] ?? fallback),
    ]),
  );
}

function read(name: string, type: ParameterType, text: string): string | number {
  if (type === 'text') return text;
  if (type === 'date') {
    parseUtcDate(text, name);
    return text;
  }
  const number = Number(text);
  if (text.trim() === '' || !Number.isFinite(number) || (type === 'integer' && !Number.isInteger(number))) {
    throw new HxError('usage', `The parameter ${name} is "${text}", which is no ${type}.`);
  }
  return number;
}

function parseQuery(name: string, sql: string): ReadyQuery {
  const [first = '', ...rest] = sql.split('\n');
  const question = /^-- (.+)$/.exec(first)?.[1];
  if (question === undefined)
    throw new HxError('bug', `sql/queries/${name}.sql does not say what it answers.`);
  const parameters: QueryParameter[] = [];
  for (const line of rest) {
    const match = /^-- param (\w+) (text|date|integer|double) (\S+)$/.exec(line);
    if (match === null) break;
    const [, parameter = '', type = 'text', fallback = ''] = match;
    parameters.push({ name: parameter, type: type as ParameterType, default: fallback });
  }
  return { name, question, parameters, sql };
}

function nearestName(name: string, names: readonly string[]): string | undefined {
  const completed = names.find((candidate) => name !== '' && candidate.startsWith(name));
  if (completed !== undefined) return completed;
  const ranked = names.map((candidate) => ({ candidate, distance: editDistance(name, candidate) }));
  const [best] = ranked.sort((a, b) => a.distance - b.distance);
  return best !== undefined && best.distance <= best.candidate.length / 2 ? best.candidate : undefined;
}

/** Levenshtein's distance, in characters. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [row, left] of [...a].entries()) {
    const current = [row + 1];
    for (const [column, right] of [...b].entries()) {
      const substituted = (previous[column] ?? 0) + (left === right ? 0 : 1);
      current.push(Math.min(substituted, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
