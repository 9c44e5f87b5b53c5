import { splitSql, tokenAt, tokenize } from '../sql/lexer.js';

/** One of the things that a text asks a shell for: SQL of one or more statements, or a line that is no SQL. */
export interface Part {
  readonly kind: 'sql' | 'dot' | 'ready' | 'exit';
  readonly text: string;
}

/**
 * What a text asks for, in order. Dot commands, ready queries and the words that leave take the rest of their line,
 * where a statement could begin; what lies between them is SQL. Comments alone ask for nothing.
 */
export function partsOf(text: string): Part[] {
  const parts: Part[] = [];
  let from = 0;
  while (from < text.length) {
    const line = nextLine(text, from);
    const sql = text.slice(from, line?.start ?? text.length);
    if (hasContent(sql)) parts.push({ kind: 'sql', text: sql.trim() });
    if (line === undefined) break;
    const end = text.indexOf('\n', line.start);
    from = end < 0 ? text.length : end;
    parts.push({ kind: line.kind, text: text.slice(line.start, from) });
  }
  return parts;
}

/** Whether what was entered so far can be carried out, or goes on in the next line. */
export function isComplete(text: string): boolean {
  const last = partsOf(text).at(-1);
  if (last === undefined) return text.trim() === '';
  if (last.kind !== 'sql') return true;
  const { complete, rest } = splitSql(last.text);
  return complete.length > 0 && rest === '';
}

/** The next line that is no SQL. */
function nextLine(text: string, from: number): { kind: 'dot' | 'ready' | 'exit'; start: number } | undefined {
  let begins = true;
  for (let start = from; start < text.length; ) {
    const { kind, text: token } = tokenAt(text, start);
    if (begins && token === '.') return { kind: 'dot', start };
    if (begins && token === '@') return { kind: 'ready', start };
    if (begins && kind === 'word' && isExit(text.slice(start).split('\n', 1)[0] ?? '')) {
      return { kind: 'exit', start };
    }
    if (kind === 'semicolon') begins = true;
    else if (kind !== 'space' && kind !== 'comment') begins = false;
    start += token.length;
  }
  return undefined;
}

function hasContent(sql: string): boolean {
  return tokenize(sql).some(
    ({ kind, closed }) => !closed || !['space', 'comment', 'semicolon'].includes(kind),
  );
}

/** Whether the words that leave other shells were entered. */
function isExit(line: string): boolean {
  return /^(exit|quit)\s*;?\s*$/i.test(line);
}
