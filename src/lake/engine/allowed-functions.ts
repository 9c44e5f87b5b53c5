import { READING_TABLE_FUNCTIONS, REFUSED_SCALAR_FUNCTIONS } from './functions.js';
import type { LakeEngine } from './query.js';

export interface NamedFunction {
  readonly name: string;
  /** Whether it can stand after FROM, and whether in an expression: `range` can do both. */
  readonly isTable: boolean;
  readonly isValue: boolean;
}

const FUNCTIONS = `
  SELECT
    function_name,
    bool_or(function_type IN ('table', 'table_macro')),
    bool_or(function_type NOT IN ('table', 'table_macro', 'pragma'))
  FROM duckdb_functions()
  WHERE regexp_full_match(function_name, '[a-z][a-z0-9_]*')
  GROUP BY function_name
  ORDER BY function_name`;

/** The functions that a statement may call, by name. */
export async function allowedFunctions(engine: LakeEngine, signal: AbortSignal): Promise<NamedFunction[]> {
  const functions: NamedFunction[] = [];
  const { chunks } = await engine.run(FUNCTIONS, { signal });
  for await (const rows of chunks) {
    functions.push(...rows.map(([name, isTable, isValue]) => allowed(String(name), isTable, isValue)));
  }
  return functions.filter(({ isTable, isValue }) => isTable || isValue);
}

function allowed(name: string, isTable: unknown, isValue: unknown): NamedFunction {
  return {
    name,
    isTable: isTable === true && READING_TABLE_FUNCTIONS.has(name),
    isValue: isValue === true && !REFUSED_SCALAR_FUNCTIONS.has(name),
  };
}
