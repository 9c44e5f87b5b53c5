import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type LakeEngine, openLakeEngine } from '../../src/lake/engine.js';
import { READING_TABLE_FUNCTIONS, REFUSED_SCALAR_FUNCTIONS } from '../../src/lake/guard.js';
import { exportsFolder } from '../../src/lake/partition.js';
import { makeTempFolder, removeFolder } from '../helpers.js';
import { errorOf, runRows } from './collect.js';
import { lakeRow } from './rows.js';
import { appendRun } from './write.js';

interface State {
  dataDir: string;
  inside: string;
  secret: string;
  engine: LakeEngine;
}

const test = suite<State>('lake lock-down');

test.before(async (state) => {
  state.dataDir = makeTempFolder();
  state.inside = exportsFolder(state.dataDir);
  state.secret = join(state.dataDir, 'secret.txt');
  await appendRun(state.inside, lakeRow(1));
  writeFileSync(state.secret, 'SECRET');
  writeFileSync(join(state.inside, 'note.txt'), 'hello');
  writeFileSync(join(state.inside, 'schema.sql'), 'CREATE TABLE imported (a INTEGER);');
  symlinkSync(state.secret, join(state.inside, 'link.txt'));
  mkdirSync(join(state.dataDir, 'outside'));
  writeFileSync(join(state.dataDir, 'outside', 'secret.csv'), 'SECRET\n1\n');
  symlinkSync(join(state.dataDir, 'outside'), join(state.inside, 'linked'));
  state.engine = await openLakeEngine({ dataDir: state.dataDir });
});
test.after(({ engine, dataDir }) => {
  engine.close();
  removeFolder(dataDir);
});

/** Everything below the data folder with its content: what no statement may change. */
function contentOf(folder: string): Record<string, string> {
  const files: Record<string, string> = {};
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    files[path] = entry.isFile() ? readFileSync(path, 'latin1') : 'folder or link';
  }
  return files;
}

/** Statements that would read outside the lake. `refused` unless SQL has no such name at all. */
const READING: ((state: State) => string)[] = [
  ({ secret }) => `FROM read_text('${secret}')`,
  ({ secret }) => `SELECT (SELECT content FROM read_text('${secret}'))`,
  ({ secret }) => `FROM read_csv('${secret}')`,
  ({ secret }) => `FROM read_blob('${secret}')`,
  ({ secret }) => `FROM read_json('${secret}')`,
  ({ secret }) => `FROM sniff_csv('${secret}')`,
  ({ secret }) => `FROM parquet_metadata('${secret}')`,
  ({ secret }) => `FROM query('FROM read_text(''${secret}'')')`,
  ({ secret }) => `FROM json_execute_serialized_sql(json_serialize_sql('FROM read_text(''${secret}'')'))`,
  ({ secret }) => `EXPLAIN ANALYZE FROM read_text('${secret}')`,
  ({ inside }) => `FROM read_text('${inside}/../secret.txt')`,
  ({ inside }) => `FROM read_text('${inside}/link.txt')`,
  ({ inside }) => `FROM read_csv('${inside}/linked/secret.csv')`,
  ({ inside }) => `FROM glob('${inside}/linked/*')`,
  ({ dataDir }) => `FROM glob('${dataDir}/*')`,
  () => "FROM glob('/etc/*')",
  () => "FROM read_text('/proc/self/environ')",
  () => "FROM read_csv('/dev/stdin')",
  () => "FROM read_csv('http://127.0.0.1:9/x.csv')",
  () => "FROM 's3://bucket/x.parquet'",
  () => 'FROM duckdb_secrets()',
  () => "FROM which_secret('x', 's3')",
  () => "SELECT getenv('HOME')",
  () => "FROM read_duckdb('/x.duckdb')",
];

/** Statements that would write, configure, load, connect or carry such a statement. */
const ACTING: ((state: State) => string)[] = [
  ({ inside }) => `COPY (SELECT 1) TO '${inside}/copied.csv'`,
  ({ inside }) => `COPY checks TO '${inside}/copied.parquet'`,
  ({ inside }) => `EXPLAIN ANALYZE COPY (SELECT 1) TO '${inside}/copied.csv'`,
  ({ inside }) => `EXPLAIN (ANALYZE) COPY (SELECT 1) TO '${inside}/copied.csv'`,
  ({ inside }) => `/* a */ explain -- b\n analyze copy (SELECT 1) TO '${inside}/copied.csv'`,
  ({ inside }) => `PREPARE p AS COPY (SELECT 1) TO '${inside}/copied.csv'`,
  ({ inside }) => `SELECT 1; COPY (SELECT 1) TO '${inside}/copied.csv'`,
  ({ inside }) => `SELECT 1 /* ; */ ; -- x\n COPY (SELECT 1) TO '${inside}/copied.csv'`,
  ({ inside }) => `FROM query('COPY (SELECT 1) TO ''${inside}/copied.csv''')`,
  ({ inside }) => `EXPORT DATABASE '${inside}'`,
  ({ inside }) => `IMPORT DATABASE '${inside}'`,
  ({ inside }) => `ATTACH '${inside}/new.duckdb' AS other`,
  () => "ATTACH ':memory:' AS other",
  () => "ATTACH 'postgres://user:word@127.0.0.1/hx' AS pg (TYPE postgres)",
  () => 'CREATE TABLE t AS SELECT 1',
  () => 'CREATE OR REPLACE VIEW checks AS SELECT 1',
  () => "CREATE MACRO m() AS 'x'",
  () => 'CREATE SECRET s (TYPE s3)',
  () => 'DROP VIEW checks',
  () => 'INSERT INTO checks SELECT * FROM checks',
  () => 'DELETE FROM checks',
  () => 'WITH a AS (SELECT 1) INSERT INTO checks SELECT * FROM a',
  () => 'SET enable_external_access = true',
  () => 'SET VARIABLE x = 1',
  () => 'RESET lock_configuration',
  () => 'PRAGMA enable_profiling',
  () => "PRAGMA profiling_output = '/tmp/x'",
  () => "PRAGMA table_info('checks')",
  () => 'CALL enable_logging()',
  ({ inside }) => `FROM enable_logging(storage = 'file', storage_path = '${inside}/logs')`,
  () => 'SELECT (SELECT count(*) FROM enable_logging())',
  () => 'WITH t AS MATERIALIZED (FROM enable_profiling()) FROM t',
  () => 'SELECT 1 WHERE EXISTS (FROM "Enable_Profiling"())',
  () => 'DESCRIBE FROM checkpoint()',
  () => 'SUMMARIZE FROM force_checkpoint()',
  () => 'FROM (VALUES (1)) t, LATERAL (FROM truncate_duckdb_logs())',
  () => 'FROM enable_peg_parser()',
  () => "SELECT write_log('x')",
  () => "SELECT list_transform(['x'], lambda y: system.main.write_log(y))",
  () => "SELECT nextval('s')",
  () => 'INSTALL httpfs',
  () => 'LOAD httpfs',
  () => 'EXECUTE p',
  () => 'BEGIN',
  () => 'USE lake',
  () => 'VACUUM',
  () => 'CHECKPOINT',
  () => "COMMENT ON VIEW checks IS 'x'",
  () => 'PIVOT checks ON verdict USING count(*)',
];

test('no statement reads outside the lake', async (state) => {
  for (const statement of READING) {
    const error = await errorOf(state.engine, statement(state));
    assert.is(error.code, 'refused', `${statement(state)}: ${error.message}`);
    assert.is(error.exitCode, 1);
    assert.not.match(`${error.message} ${error.hint}`, /SECRET/);
  }
});

test('a path as a table name is no file', async ({ engine, secret }) => {
  for (const sql of [
    `FROM '${secret}'`,
    `FROM "${secret}"`,
    `FROM query_table('${secret}')`,
    "FROM '/etc/passwd'",
  ]) {
    assert.is((await errorOf(engine, sql)).code, 'sql', sql);
  }
});

test('no statement writes, configures, loads, connects or hides another', async (state) => {
  const before = contentOf(state.dataDir);
  const settings = 'SELECT name, value FROM duckdb_settings() ORDER BY name';
  const configured = await runRows(state.engine, settings);
  for (const statement of ACTING) {
    const error = await errorOf(state.engine, statement(state));
    assert.is(error.code, 'refused', `${statement(state)}: ${error.message}`);
    assert.ok(error.hint);
  }
  assert.equal(contentOf(state.dataDir), before);
  assert.equal(await runRows(state.engine, settings), configured);
  assert.equal(await runRows(state.engine, 'SELECT count(*) FROM checks'), [[1n]]);
  assert.equal(
    await runRows(state.engine, 'SELECT database_name FROM duckdb_databases() WHERE NOT internal'),
    [['memory']],
  );
  assert.equal(
    await runRows(state.engine, "SELECT count(*) FROM duckdb_tables() WHERE database_name = 'memory'"),
    [[0n]],
  );
});

test('what only reads the lake goes through', async ({ engine, inside }) => {
  const allowed = [
    'SELECT 1',
    'FROM checks',
    'TABLE checks',
    'VALUES (1)',
    '(SELECT 1) UNION ALL (SELECT 2);',
    'WITH t AS (FROM checks) SELECT count(*) FROM t -- done',
    'WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 3) FROM t',
    'DESCRIBE checks',
    'DESCRIBE SELECT claim FROM checks',
    'SHOW TABLES',
    'SUMMARIZE checks',
    'EXPLAIN FROM checks',
    'EXPLAIN ANALYZE FROM checks',
    'explain (analyze, format json) from checks',
    'EXPLAIN (SELECT 1)',
    "PIVOT checks ON verdict IN ('likely_true') USING count(*)",
    'UNPIVOT (SELECT 1 AS a, 2 AS b) ON a, b',
    `FROM read_text('${inside}/note.txt')`,
    `FROM parquet_metadata('${inside}/*/*/*.parquet')`,
    `FROM glob('${inside}/**')`,
    "FROM query_table('checks')",
  ];
  for (const sql of allowed) assert.ok((await runRows(engine, sql)).length > 0, sql);
});

test('every table function that DuckDB has and the lake allows still exists; what acts is not allowed', async ({
  engine,
}) => {
  const names = (
    await runRows(
      engine,
      "SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type IN ('table', 'table_macro')",
    )
  ).map(([name]) => String(name));
  const unknown = [...READING_TABLE_FUNCTIONS].filter((name) => !names.includes(name));
  assert.equal(unknown, []);
  const closed = names.filter((name) => !READING_TABLE_FUNCTIONS.has(name));
  for (const name of closed) {
    assert.match((await errorOf(engine, `FROM ${name}()`)).message, 'may not be used', name);
  }
});

/** Side effects that stay within one statement's own result. */
const HARMLESS = [
  ...['current_connection_id', 'current_query', 'current_query_id', 'current_transaction_id', 'error'],
  ...['gen_random_uuid', 'random', 'stats', 'uuid', 'uuidv4', 'uuidv7'],
];

test('every function with side effects is refused or known to be harmless', async ({ engine }) => {
  const rows = await runRows(
    engine,
    "SELECT DISTINCT function_name FROM duckdb_functions() WHERE has_side_effects OR stability = 'VOLATILE'",
  );
  const open = rows
    .map(([name]) => String(name))
    .filter((name) => !REFUSED_SCALAR_FUNCTIONS.has(name) && !HARMLESS.includes(name));
  assert.equal(open, []);
});

test.run();
