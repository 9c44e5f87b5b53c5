import type { QuerySession } from '../../../handlers/query-session.js';

/** What can be named in a statement, besides keywords. */
export interface Vocabulary {
  readonly tables: readonly NamedTable[];
  readonly functions: readonly NamedFunction[];
}

export interface NamedFunction {
  readonly name: string;
  /** Whether it stands after FROM, like `range`, and not in an expression. */
  readonly isTable: boolean;
}

export interface NamedTable {
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
}

const FUNCTIONS = `
  SELECT function_name, bool_and(function_type IN ('table', 'table_macro')) FROM duckdb_functions()
  WHERE function_type <> 'pragma' AND regexp_full_match(function_name, '[a-z][a-z0-9_]*')
    AND NOT starts_with(function_name, 'pragma_') GROUP BY 1 ORDER BY 1`;

/** Asks the engine for its views and functions. */
export async function loadVocabulary(
  session: Pick<QuerySession, 'run' | 'tables'>,
  signal: AbortSignal,
): Promise<Vocabulary> {
  const tables = await session.tables();
  const functions: NamedFunction[] = [];
  const { chunks } = await session.run({ sql: FUNCTIONS }, signal);
  for await (const rows of chunks) {
    functions.push(...rows.map(([name, isTable]) => ({ name: String(name), isTable: isTable === true })));
  }
  return { tables, functions };
}
