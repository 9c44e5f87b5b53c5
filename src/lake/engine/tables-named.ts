import { FILE_FUNCTIONS } from './functions.js';

/** Table functions that make rows of their arguments; all others but those on files may look into the catalog. */
const VALUE_FUNCTIONS: ReadonlySet<string> = new Set(['range', 'generate_series', 'unnest', 'json_each']);

/**
 * The tables that a statement names, in small letters, without the names that it defines itself (WITH).
 * @param tree a statement as DuckDB's parser gives it.
 * @returns undefined for one that may look into the catalog (SHOW, `duckdb_views()`), and so see every table.
 */
export function tablesNamed(tree: unknown): ReadonlySet<string> | undefined {
  const tables = new Set<string>();
  const defined = new Set<string>();
  const open = [tree];
  while (open.length > 0) {
    const node = open.pop();
    if (typeof node !== 'object' || node === null) continue;
    const {
      type,
      table_name: table,
      schema_name: schema,
      function: called,
      cte_map: withClause,
    } = node as Tree;
    if (type === 'SHOW_REF') return undefined;
    if (type === 'TABLE_FUNCTION' && !readsNoCatalog(called)) return undefined;
    // information_schema.tables; the names that a statement defines have no schema.
    if (type === 'BASE_TABLE' && schema !== '') return undefined;
    if (type === 'BASE_TABLE') tables.add(String(table).toLowerCase());
    for (const name of namesDefined(withClause)) defined.add(name);
    for (const inner of Object.values(node)) open.push(inner);
  }
  return new Set([...tables].filter((name) => !defined.has(name)));
}

type Tree = Readonly<Record<string, unknown>>;

function readsNoCatalog(called: unknown): boolean {
  const name = String((called as Tree | null)?.['function_name']).toLowerCase();
  return FILE_FUNCTIONS.has(name) || VALUE_FUNCTIONS.has(name);
}

function namesDefined(withClause: unknown): string[] {
  const { map } = (withClause ?? {}) as { map?: readonly { readonly key: string }[] };
  return (map ?? []).map(({ key }) => key.toLowerCase());
}
