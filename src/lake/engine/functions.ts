/** Table functions that read files: their first argument says which. */
export const FILE_FUNCTIONS: ReadonlySet<string> = new Set([
  ...['read_parquet', 'parquet_scan', 'parquet_metadata', 'parquet_schema', 'parquet_file_metadata'],
  ...['parquet_kv_metadata', 'parquet_full_metadata', 'parquet_bloom_probe', 'read_text', 'read_blob'],
  ...['read_csv', 'read_csv_auto', 'read_json', 'read_json_auto', 'read_json_objects', 'read_ndjson'],
  ...['read_json_objects_auto', 'read_ndjson_auto', 'read_ndjson_objects', 'sniff_csv', 'glob'],
]);

/** Table functions whose first argument names a table, and so perhaps a file. */
export const TABLE_NAMING_FUNCTIONS: ReadonlySet<string> = new Set([
  ...['query_table', 'histogram', 'histogram_values', 'pragma_table_info', 'pragma_show'],
]);

/**
 * Table functions that only read, and only what the engine's lock-down leaves: the lake's folder, the catalog
 * and values. Everything else is refused, so that a function of a later DuckDB is closed until someone looks.
 */
export const READING_TABLE_FUNCTIONS: ReadonlySet<string> = new Set([
  ...FILE_FUNCTIONS,
  ...['range', 'generate_series', 'unnest', 'repeat', 'repeat_row', 'json_each', 'json_tree', 'summary'],
  ...['histogram', 'histogram_values', 'query_table', 'test_all_types', 'sql_auto_complete'],
  ...['duckdb_columns', 'duckdb_databases', 'duckdb_functions', 'duckdb_keywords', 'duckdb_memory'],
  ...['duckdb_schemas', 'duckdb_settings', 'duckdb_tables', 'duckdb_types', 'duckdb_views'],
  ...['pragma_table_info', 'pragma_show', 'pragma_version', 'pragma_collations', 'icu_calendar_names'],
  ...['pg_timezone_names'],
]);

/**
 * Scalar functions and macros that change something, hold the engine up, look outside or plan a statement that
 * the guard has not seen. A test goes through all that DuckDB has, so a new one cannot slip in unseen.
 */
export const REFUSED_SCALAR_FUNCTIONS: ReadonlySet<string> = new Set([
  ...['write_log', 'nextval', 'currval', 'setseed', 'sleep_ms', 'pg_sleep', 'getenv', 'set_config'],
  ...['json_serialize_plan', 'variant_bytes_to_variant'],
]);
