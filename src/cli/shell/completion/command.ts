import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ENVIRONMENT_NAMES } from '../../../base/environments.js';
import type { QuerySession } from '../../../handlers/query-session.js';
import { type ArgumentKind, DOT_COMMANDS } from '../dot-commands.js';
import { typedPath } from '../file-path.js';
import { among, type Candidate, type Completion } from './candidates.js';
import type { NamedTable } from './vocabulary.js';

type ParameterType = ReturnType<QuerySession['readyQueries']>[number]['parameters'][number]['type'];

export interface CommandSource {
  /** Where relative file names refer to. */
  readonly folder: string;
  readonly session: Pick<QuerySession, 'readyQueries'>;
  readonly tables: readonly NamedTable[];
}

/** Completes a line that begins with a dot or an at sign: the command, the query, and what follows them. */
export function completeCommand(before: string, source: CommandSource): Completion {
  const [, name = '', argument] = /^(\S*)(?:\s+([\s\S]*))?$/.exec(before) ?? [];
  if (name.startsWith('@')) return completeReady(name, argument, source);
  if (argument === undefined) {
    return among(
      name,
      DOT_COMMANDS.map(({ name: text, meaning }) => ({ text, detail: meaning, after: ' ' })),
    );
  }
  const kind = DOT_COMMANDS.find((command) => command.name === name)?.takes;
  return kind === undefined ? { replaced: 0, candidates: [] } : completeArgument(kind, argument, source);
}

function completeArgument(
  kind: ArgumentKind,
  argument: string,
  { folder, tables }: CommandSource,
): Completion {
  if (kind === 'file') return completePath(argument, folder);
  if (kind === 'view') {
    return among(
      argument,
      tables.map(({ name, columns }) => ({ text: name, detail: `view, ${columns.length} columns` })),
    );
  }
  return among(
    argument,
    kind.map((text) => ({ text, detail: '' })),
  );
}

function completeReady(name: string, argument: string | undefined, source: CommandSource): Completion {
  const queries = source.session.readyQueries();
  if (argument === undefined) {
    return among(
      name,
      queries.map(({ name: text, question }) => ({ text: `@${text}`, detail: question, after: ' ' })),
    );
  }
  const word = /\S*$/.exec(argument)?.[0] ?? '';
  const parameters = queries.find((query) => `@${query.name}` === name)?.parameters ?? [];
  const [, named, value = ''] = /^(\w+)=(.*)$/.exec(word) ?? [];
  if (named !== undefined) {
    return completeValue(
      parameters.find((parameter) => parameter.name === named)?.type,
      value,
      source.folder,
    );
  }
  return among(
    word,
    parameters.map((parameter) => ({
      text: `${parameter.name}=`,
      detail:
        parameter.default === undefined
          ? `${parameter.type}, needed`
          : `${parameter.type}, ${parameter.default} when not given`,
    })),
  );
}

function completeValue(type: ParameterType | undefined, value: string, folder: string): Completion {
  if (type === 'labels') return completePath(value, folder);
  const all = type === 'environments' ? ['all'] : [];
  const names = type === 'environment' || type === 'environments' ? [...ENVIRONMENT_NAMES, ...all] : [];
  return among(
    value,
    names.map((text) => ({ text, detail: 'environment' })),
  );
}

function completePath(typed: string, folder: string): Completion {
  const start = typed.slice(0, typed.lastIndexOf('/') + 1);
  const word = typed.slice(start.length);
  return among(word, entriesOf(typedPath(folder, start), word.startsWith('.')));
}

function entriesOf(folder: string, hidden: boolean): Candidate[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter(({ name }) => hidden || !name.startsWith('.'))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map((entry) => ({
        text: entry.isDirectory() ? `${entry.name}/` : entry.name,
        detail: entry.isDirectory() ? 'folder' : `file in ${dirname(join(folder, entry.name))}`,
      }));
  } catch {
    // A folder that is missing or closed to us has nothing to offer.
    return [];
  }
}
