import { HxError } from '../base/errors.js';
import { sqlError } from './failures.js';

/**
 * Table functions that only read, and only what the engine's lock-down leaves: the lake's folder, the catalog
 * and values. Everything else is refused, so that a function of a later DuckDB is closed until someone looks.
 */
export const READING_TABLE_FUNCTIONS: ReadonlySet<string> = new Set([
  ...['range', 'generate_series', 'unnest', 'repeat', 'repeat_row', 'json_each', 'json_tree', 'summary'],
  ...['histogram', 'histogram_values', 'query_table', 'test_all_types', 'glob', 'sniff_csv'],
  ...['read_parquet', 'parquet_scan', 'parquet_metadata', 'parquet_schema', 'parquet_file_metadata'],
  ...['parquet_kv_metadata', 'parquet_full_metadata', 'parquet_bloom_probe', 'read_text', 'read_blob'],
  ...['read_csv', 'read_csv_auto', 'read_json', 'read_json_auto', 'read_json_objects', 'read_ndjson'],
  ...['read_json_objects_auto', 'read_ndjson_auto', 'read_ndjson_objects', 'sql_auto_complete'],
  ...['duckdb_columns', 'duckdb_databases', 'duckdb_functions', 'duckdb_keywords', 'duckdb_memory'],
  ...['duckdb_schemas', 'duckdb_settings', 'duckdb_tables', 'duckdb_types', 'duckdb_views'],
  ...['pragma_table_info', 'pragma_show', 'pragma_version', 'pragma_collations', 'icu_calendar_names'],
  ...['pg_timezone_names'],
]);

/** Scalar functions that change something or hold the engine up. */
export const REFUSED_SCALAR_FUNCTIONS: ReadonlySet<string> = new Set([
  ...['write_log', 'nextval', 'currval', 'setseed', 'sleep_ms', 'getenv', 'set_config'],
]);

/** DuckDB's own parser: `json_serialize_sql` of a text. */
export type ParseSql = (sql: string) => Promise<string>;

interface Parsed {
  readonly error: boolean;
  readonly error_type?: string;
  readonly error_message?: string;
  readonly position?: string;
  readonly statements?: readonly unknown[];
}

/** First words of a text that starts as a query and then goes on to something else. */
const QUERY_WORDS: ReadonlySet<string> = new Set([
  'SELECT',
  'FROM',
  'WITH',
  'VALUES',
  'TABLE',
  'DESCRIBE',
  '',
]);

const HINT = 'The lake is read only: write one SELECT, DESCRIBE, SHOW, SUMMARIZE or EXPLAIN.';

/**
 * Lets one reading statement through, and returns the text to run. The decision is made on the tree of DuckDB's
 * parser, which takes SELECT statements only; EXPLAIN is put before a statement that passed by itself.
 * @throws HxError `refused` for any other statement or function, `sql` when it does not parse.
 */
export async function guardStatement(sql: string, parse: ParseSql): Promise<string> {
  const explained = splitExplain(sql);
  if (explained !== undefined) {
    await guardSelect(explained.statement, parse);
    return `${explained.prefix} ${explained.statement}`;
  }
  await guardSelect(sql, parse);
  return sql;
}

async function guardSelect(sql: string, parse: ParseSql): Promise<void> {
  const parsed = JSON.parse(await parse(sql)) as Parsed;
  if (parsed.error) {
    if (parsed.error_type === 'parser') throw sqlError(parsed.error_message ?? '', sql, parsed.position);
    throw refusal(sql);
  }
  const statements = parsed.statements ?? [];
  if (statements.length === 0) throw new HxError('sql', 'There is no statement to run.', { hint: HINT });
  if (statements.length > 1) {
    throw new HxError('refused', `One statement at a time: this text holds ${statements.length}.`, {
      hint: 'Run them one after the other.',
    });
  }
  refuseFunctions(statements[0]);
}

/** Walks the whole tree, however deep, for functions that do more than read. */
function refuseFunctions(tree: unknown): void {
  const open: unknown[] = [tree];
  while (open.length > 0) {
    const node = open.pop();
    if (typeof node !== 'object' || node === null) continue;
    const { type, class: kind, function: called, function_name: name } = node as Record<string, unknown>;
    if (type === 'TABLE_FUNCTION') refuseTableFunction(called);
    if (kind === 'FUNCTION' && REFUSED_SCALAR_FUNCTIONS.has(String(name).toLowerCase())) {
      throw new HxError('refused', `The function ${name} may not be used in the lake.`, { hint: HINT });
    }
    open.push(...Object.values(node));
  }
}

function refuseTableFunction(called: unknown): void {
  const name =
    typeof called === 'object' && called !== null && 'function_name' in called
      ? String(called.function_name).toLowerCase()
      : '';
  if (READING_TABLE_FUNCTIONS.has(name)) return;
  throw new HxError('refused', `The table function ${name} may not be used in the lake.`, {
    hint: 'Read the views (SHOW TABLES lists them) or files of the lake with read_parquet.',
  });
}

/** Only says what was refused; the decision is made already. */
function refusal(sql: string): HxError {
  if (/\bpivot(_wider)?\b/i.test(sql)) {
    return new HxError('refused', 'PIVOT has to name its values: without them it creates a type first.', {
      hint: "For example: PIVOT checks ON verdict IN ('likely_true', 'likely_false') USING count(*).",
    });
  }
  const bare = sql.replace(/--[^\n]*|\/\*[\s\S]*?\*\//g, ' ');
  const word = /\w+/.exec(bare)?.[0].toUpperCase() ?? '';
  const what = QUERY_WORDS.has(word) ? 'one SELECT at a time and nothing else' : `no ${word} statement`;
  return new HxError('refused', `The lake runs queries only, ${what}.`, { hint: HINT });
}

/** Takes EXPLAIN and its options off the front. Whatever is left has to pass by itself. */
function splitExplain(sql: string): { prefix: string; statement: string } | undefined {
  const blank = String.raw`(?:\s|--[^\n]*(?:\n|$)|/\*[\s\S]*?\*/)*`;
  const options = String.raw`\(\s*(analyze|format\s+\w+|analyze\s*,\s*format\s+\w+)\s*\)`;
  const pattern = new RegExp(
    `^${blank}explain\\b${blank}(?:(analyze)\\b${blank})?(?:${options}${blank})?`,
    'i',
  );
  const match = pattern.exec(sql);
  if (match === null) return undefined;
  const [head, analyze, listed] = match;
  const prefix = ['EXPLAIN', analyze && 'ANALYZE', listed && `(${listed})`].filter(Boolean).join(' ');
  return { prefix, statement: sql.slice(head.length) };
}
