import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { quote } from '../catalog/catalog.js';
import type { DuckdbApi } from './duckdb-api.js';
import type { LakeRoots } from './roots.js';

/** What a query may hold in memory before it spills to the data folder. */
const DEFAULT_MEMORY_LIMIT = '1GB';

/** What all queries of an engine may spill; DuckDB's own bound is 90 % of the disk. */
const MAX_SPILL = '10GB';

/** DuckDB in memory, with all that can be set as it starts. Its views are made before `lockDown`. */
export function startDuckdb(
  api: DuckdbApi,
  { spill, memoryLimit }: { readonly spill: string; readonly memoryLimit: string | undefined },
): Promise<DuckDBInstance> {
  return api.DuckDBInstance.create(':memory:', {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
    // Secrets that somebody stored for DuckDB are not the lake's, and their folder tells whose machine this is.
    allow_persistent_secrets: 'false',
    secret_directory: spill,
    memory_limit: memoryLimit ?? DEFAULT_MEMORY_LIMIT,
    temp_directory: spill,
    max_temp_directory_size: MAX_SPILL,
    // A replaced file may keep its size and its second; a cache would go on showing the old one.
    enable_external_file_cache: 'false',
  });
}

/**
 * Shuts DuckDB in: it reads below the roots only, loads nothing, and its settings can no longer be changed.
 * @param keepsFooters whether it keeps the footer of each file that it reads. The lake's files never change.
 */
export async function lockDown(
  connection: DuckDBConnection,
  roots: LakeRoots,
  keepsFooters: boolean,
): Promise<void> {
  const allowed = roots.directories().map(quote);
  const settings = [
    "SET GLOBAL TimeZone = 'UTC'",
    `SET GLOBAL parquet_metadata_cache = ${keepsFooters}`,
    `SET allowed_directories = [${allowed.join(', ')}]`,
    'SET enable_external_access = false',
    'SET lock_configuration = true',
  ];
  await connection.run(settings.join('; '));
}
