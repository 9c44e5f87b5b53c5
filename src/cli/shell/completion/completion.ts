import type { QuerySession } from '../../../handlers/query-session.js';
import { KEYWORD_SET, KEYWORDS } from '../../sql/keywords.js';
import { partsOf } from '../entry.js';
import { among, type Candidate, type Completion } from './candidates.js';
import { completeCommand } from './command.js';
import { type Scope, scopeAt } from './scope.js';
import type { NamedFunction, NamedTable, Vocabulary } from './vocabulary.js';

const PLAIN_NAME = /^[A-Za-z_]\w*$/;

/** What could stand where the cursor stands. Completing is a courtesy: where nothing is known it yields nothing. */
export async function completionFor(
  { before, after, folder }: { readonly before: string; readonly after: string; readonly folder: string },
  session: Pick<QuerySession, 'complete' | 'readyQueries'>,
  vocabulary: Vocabulary,
): Promise<Completion> {
  const last = partsOf(before).at(-1);
  if (last !== undefined && /^[.@]/.test(last.text) && before.endsWith(last.text)) {
    return completeCommand(last.text, { folder, session, tables: vocabulary.tables });
  }
  const word = /[\p{L}\p{N}_]*$/u.exec(before)?.[0] ?? '';
  const scope = scopeAt(before, after, word.length);
  if (scope.quoted) return { replaced: 0, candidates: [] };
  const known = among(word, candidatesFor(scope, word, vocabulary));
  if (known.candidates.length > 0 || word === '') return known;
  // Our lists know what belongs to the lake; the engine's parser also knows its settings, types and own tables.
  const suggested = await session.complete(before).catch(() => []);
  return among(
    word,
    suggested.map((text) => ({ text: text.trim(), detail: '' })),
  );
}

function candidatesFor(scope: Scope, word: string, { tables, functions }: Vocabulary): Candidate[] {
  const byName = new Map(tables.map((table) => [table.name.toLowerCase(), table]));
  const named = (name: string | undefined) => byName.get(name?.toLowerCase() ?? '');
  const inScope = [...scope.tables.values()].flatMap((name) => named(name) ?? []);
  const given = scope.names.columns.map((name) => ({ text: quoted(name), detail: 'named by AS' }));
  if (scope.qualifier !== undefined) {
    const qualifier = scope.qualifier.toLowerCase();
    const table = named(scope.tables.get(qualifier) ?? qualifier);
    if (table !== undefined) return columnsOf([table], word);
    // It stands for a subquery or what WITH names, whose columns are some of these.
    return [...given, ...columnsOf(inScope.length > 0 ? inScope : tables, word)];
  }
  const ofStatement = scope.names.tables.map((name) => ({ text: name, detail: 'named by WITH', after: ' ' }));
  const views = tables.map(({ name, columns }) => ({
    ...{ text: quoted(name), after: ' ' },
    detail: `view, ${columns.length} columns`,
  }));
  if (scope.wantsTable) return [...ofStatement, ...views, ...functionCandidates(functions, word, 'isTable')];
  const aliases = [...scope.tables].flatMap(([alias, name]) =>
    alias === name.toLowerCase() ? [] : [{ text: alias, detail: `stands for ${name}`, after: '.' }],
  );
  const columns = columnsOf(inScope.length > 0 ? inScope : tables, word);
  if (word === '') return [...columns, ...given, ...aliases, ...ofStatement];
  return [
    ...[...columns, ...given, ...aliases, ...keywordCandidates(word)],
    ...[...ofStatement, ...views, ...functionCandidates(functions, word, 'isValue')],
  ];
}

function columnsOf(tables: readonly NamedTable[], word: string): Candidate[] {
  const start = word.toLowerCase();
  return tables.flatMap((table) =>
    table.columns
      .filter(({ name }) => name.toLowerCase().startsWith(start))
      .map(({ name, type }) => ({ text: quoted(name), detail: `${type}, column of ${table.name}` })),
  );
}

function functionCandidates(
  functions: readonly NamedFunction[],
  word: string,
  place: 'isTable' | 'isValue',
): Candidate[] {
  if (word === '') return [];
  return functions
    .filter((called) => called[place])
    .map(({ name }) => ({ text: name, detail: 'function', after: '(' }));
}

/** Keywords in the case that the word is typed in. */
function keywordCandidates(word: string): Candidate[] {
  const isLower = word === word.toLowerCase();
  return KEYWORDS.map((keyword) => ({
    ...{ text: isLower ? keyword.toLowerCase() : keyword, detail: 'keyword', after: ' ' },
  }));
}

function quoted(name: string): string {
  const isPlain = PLAIN_NAME.test(name) && !KEYWORD_SET.has(name.toLowerCase());
  return isPlain ? name : `"${name.replaceAll('"', '""')}"`;
}
