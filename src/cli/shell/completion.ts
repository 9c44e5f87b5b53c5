import type { QuerySession } from '../../handlers/query-session.js';
import { escapeControls } from '../render/escape.js';
import { DOT_COMMANDS } from './dot-commands.js';

/** Ways to complete the word before the cursor. */
export interface Completion {
  /** Length of that word. */
  readonly replaced: number;
  /** Whole words to put in its place, best first, each once. */
  readonly candidates: readonly string[];
}

/** What could stand where the cursor stands. Completing is a courtesy: the engine's failures yield nothing. */
export async function completionFor(
  session: Pick<QuerySession, 'complete' | 'tables' | 'readyQueries'>,
  before: string,
): Promise<Completion> {
  if (/^\s*\.\w*$/.test(before)) {
    return among(
      before.trim(),
      DOT_COMMANDS.map(({ name }) => name),
    );
  }
  if (/^\s*@\w*$/.test(before)) {
    return among(
      before.trim(),
      session.readyQueries().map(({ name }) => `@${name}`),
    );
  }
  const word = /[\p{L}\p{N}_]*$/u.exec(before)?.[0] ?? '';
  const tables = await session.tables();
  const columns = tables.flatMap((table) => table.columns.map(({ name }) => name));
  if (/^\s*\.schema\s/.test(before))
    return among(
      word,
      tables.map(({ name }) => name),
    );
  // The engine knows nothing about what follows `alias.`; columns are all that can.
  if (before.slice(0, before.length - word.length).endsWith('.')) return among(word, columns);
  const suggested = await session.complete(before).catch(() => []);
  const found = among(
    word,
    suggested.map((text) => text.trim()),
  );
  if (found.candidates.length > 0 || word === '') return found;
  return among(word, [...tables.map(({ name }) => name), ...columns]);
}

/** What all candidates begin with, by which the word can grow without choosing. */
export function commonStart(candidates: readonly string[]): string {
  const [first = '', ...rest] = candidates;
  let length = first.length;
  for (const candidate of rest) {
    while (!candidate.toLowerCase().startsWith(first.slice(0, length).toLowerCase())) length -= 1;
  }
  return first.slice(0, length);
}

/** Those that begin with the word, keywords in the case that the word is typed in. */
function among(word: string, names: readonly string[]): Completion {
  const isLower = word !== '' && word === word.toLowerCase();
  const matching = names
    .filter((name) => name.toLowerCase().startsWith(word.toLowerCase()))
    .map((name) => (isLower && name === name.toUpperCase() ? name.toLowerCase() : name));
  return { replaced: word.length, candidates: [...new Set(matching)] };
}

/** Words in as many columns as fit. */
export function inColumns(words: readonly string[], width: number): string {
  const cell = Math.max(...words.map((word) => word.length)) + 2;
  const perLine = Math.max(1, Math.floor(width / cell));
  const lines: string[] = [];
  for (let start = 0; start < words.length; start += perLine) {
    const line = words.slice(start, start + perLine).map((word) => escapeControls(word).padEnd(cell));
    lines.push(`${line.join('').trimEnd()}\n`);
  }
  return lines.join('');
}
