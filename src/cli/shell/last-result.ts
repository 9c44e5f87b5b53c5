import type { Statement } from '../../handlers/query-session.js';
import { tokenize } from '../sql/lexer.js';

/** What statements call the last result. */
export const LAST_RESULT = '_';

/** First words of what gives a table. */
const QUERIES: ReadonlySet<string> = new Set([
  ...['select', 'from', 'with', 'values', 'table', 'pivot', 'unpivot', '('],
]);

interface Word {
  /** In small letters. */
  readonly text: string;
  /** Offset of its end. */
  readonly end: number;
}

/** The last result of a shell, which a statement may name: the one that gave it runs again as a part of that. */
export class LastResult {
  private last: Statement | undefined;

  /** The statement with the last result defined in it, where it names it. */
  resolve(statement: Statement): Statement {
    const { last } = this;
    const words = wordsOf(statement.sql);
    if (last === undefined || !words.some(({ text }) => text === LAST_RESULT)) return statement;
    const [first, second] = withoutExplain(words);
    if (first === undefined || !QUERIES.has(first.text) || definesIt(words)) return statement;
    const name = `${LAST_RESULT} AS (\n${last.sql.replace(/[;\s]*$/, '')}\n)`;
    // What was typed goes on in a line of its own, so that an error shows the place in it.
    const [at, definition] =
      first.text === 'with'
        ? [second?.text === 'recursive' ? second.end : first.end, ` ${name},\n`]
        : [first.end - first.text.length, `WITH ${name}\n`];
    return {
      sql: `${statement.sql.slice(0, at)}${definition}${statement.sql.slice(at)}`,
      parameters: { ...last.parameters, ...statement.parameters },
    };
  }

  /** Remembers the statement, as `resolve` returned it, whose result was shown. */
  keep(statement: Statement): void {
    if (QUERIES.has(wordsOf(statement.sql)[0]?.text ?? '')) this.last = statement;
  }
}

function wordsOf(sql: string): Word[] {
  let end = 0;
  return tokenize(sql).flatMap(({ kind, text }) => {
    end += text.length;
    return kind === 'space' || kind === 'comment' ? [] : [{ text: text.toLowerCase(), end }];
  });
}

function withoutExplain(words: readonly Word[]): readonly Word[] {
  if (words[0]?.text !== 'explain') return words;
  return words.slice(words[1]?.text === 'analyze' ? 2 : 1);
}

/** Whether a statement calls something else so: `WITH _ AS (...)`. */
function definesIt(words: readonly Word[]): boolean {
  return words.some(
    ({ text }, index) =>
      text === LAST_RESULT && words[index + 1]?.text === 'as' && words[index + 2]?.text === '(',
  );
}
