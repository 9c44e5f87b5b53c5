import { createRequire } from 'node:module';

export type DuckdbApi = typeof import('@duckdb/node-api');

/**
 * Loads DuckDB's driver, which is native, when it is first needed. By `require`: it is CommonJS in 120 files, each
 * of which `import` would read twice, and that takes as long as all else of a first query.
 */
export function loadDuckdb(): DuckdbApi {
  return createRequire(import.meta.url)('@duckdb/node-api') as DuckdbApi;
}
