import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

export type DuckdbApi = typeof import('@duckdb/node-api');

/** The driver in one file, which the build makes beside the compiled sources; a run from `src/` has none. */
const ONE_FILE = fileURLToPath(new URL('../../vendor/duckdb-api.cjs', import.meta.url));

/**
 * Loads DuckDB's driver, which is native, when it is first needed. The package is 180 CommonJS files: finding and
 * compiling them takes three times as long as the same code in one file, and longer than all else of a first query.
 */
export function loadDuckdb(): DuckdbApi {
  return createRequire(import.meta.url)(existsSync(ONE_FILE) ? ONE_FILE : '@duckdb/node-api') as DuckdbApi;
}
