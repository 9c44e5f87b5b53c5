import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HxError } from '../../../src/base/errors.js';
import { type LakeEngine, openLakeEngine } from '../../../src/lake/engine/engine.js';
import { READING_TABLE_FUNCTIONS, REFUSED_SCALAR_FUNCTIONS } from '../../../src/lake/engine/functions.js';
import { exportsFolder } from '../../../src/lake/files/partition.js';
import { makeTempFolder, removeFolder } from '../../helpers.js';
import { errorOf, runRows } from '../collect.js';
import { lakeRow } from '../rows.js';
import { appendRun } from '../write.js';
import { actingAttempts, readingAttempts } from './attempts.js';

const CHILD = fileURLToPath(new URL('attempts-child.ts', import.meta.url));

interface State {
  dataDir: string;
  inside: string;
  secret: string;
  spill: string;
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
  for (const kind of ['txt', 'csv', 'parquet']) {
    symlinkSync(state.secret, join(state.inside, `link.${kind}`));
  }
  mkdirSync(join(state.dataDir, 'outside'));
  writeFileSync(join(state.dataDir, 'outside', 'secret.csv'), 'SECRET\n1\n');
  symlinkSync(join(state.dataDir, 'outside'), join(state.inside, 'linked'));
  writeFileSync(join(state.dataDir, 'outside', 'hidden_name.csv'), 'SECRET\n1\n');
  for (const name of ['catalog.duckdb', 'research.sqlite']) {
    writeFileSync(join(state.dataDir, name), 'SECRET');
  }
  state.engine = await openLakeEngine({ dataDir: state.dataDir });
  const [[spill] = []] = await runRows(state.engine, "SELECT current_setting('temp_directory')");
  state.spill = String(spill);
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

test('no statement reads outside the lake', async (state) => {
  const attempts = readingAttempts(state);
  assert.ok(attempts.length >= 125);
  for (const sql of attempts) {
    const error = await errorOf(state.engine, sql);
    assert.is(error.code, 'refused', `${sql}: ${error.message}`);
    assert.is(error.exitCode, 1);
    assert.ok(error.hint, sql);
    assert.not.match(`${error.message} ${error.hint}`, /SECRET|hidden_name/);
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

test('no statement writes, configures, loads, connects, waits or hides another', async (state) => {
  const { dataDir, engine } = state;
  const before = contentOf(dataDir);
  const settings = 'SELECT name, value FROM duckdb_settings() ORDER BY name';
  const views = 'SELECT schema_name, view_name, sql FROM duckdb_views() ORDER BY ALL';
  const configured = await runRows(engine, settings);
  const viewed = await runRows(engine, views);
  const attempts = actingAttempts(state);
  assert.ok(attempts.length >= 145);
  for (const sql of attempts) {
    const error = await errorOf(engine, sql);
    assert.is(error.code, 'refused', `${sql.slice(0, 200)}: ${error.message}`);
    assert.ok(error.hint, sql);
  }
  assert.equal(contentOf(dataDir), before);
  assert.equal(await runRows(engine, settings), configured);
  assert.equal(await runRows(engine, views), viewed);
  assert.equal(await runRows(engine, 'SELECT count(*) FROM checks'), [[1n]]);
  assert.equal(await runRows(engine, 'SELECT database_name FROM duckdb_databases() WHERE NOT internal'), [
    ['memory'],
  ]);
  assert.equal(await runRows(engine, "SELECT count(*) FROM duckdb_tables() WHERE database_name = 'memory'"), [
    [0n],
  ]);
});

test('no attempt prints, reads standard input, or makes a file where it runs', async (state) => {
  const folder = join(state.dataDir, 'elsewhere');
  mkdirSync(folder);
  const before = contentOf(state.dataDir);
  const { dataDir, inside, secret, spill } = state;
  const child = spawnSync(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), CHILD, dataDir, inside, secret, spill],
    { cwd: folder, input: 'typed,by\nthe,user\n', encoding: 'utf8' },
  );
  assert.is(child.stdout, '');
  assert.equal(JSON.parse(child.stderr), {
    refused: readingAttempts(state).length + actingAttempts(state).length,
  });
  assert.equal(contentOf(dataDir), before);
});

test('neither the environment nor the folders of this machine show in settings', async ({
  engine,
  dataDir,
}) => {
  const rows = await runRows(engine, "SELECT name, value FROM duckdb_settings() WHERE value LIKE '%/%'");
  for (const [name, value] of rows) {
    const paths = String(value).match(/[^\s[\],]*\/[^\s[\],]*/g) ?? [];
    assert.ok(
      paths.every((path) => path.startsWith(dataDir) || path === 'Etc/UTC'),
      `${name}: ${value}`,
    );
  }
});

test('what only reads the lake goes through', async () => {
  const dataDir = makeTempFolder();
  const inside = exportsFolder(dataDir);
  await appendRun(inside, lakeRow(1));
  writeFileSync(join(inside, 'note.txt'), 'hello');
  const engine = await openLakeEngine({ dataDir });
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
    `FROM read_text(['${inside}/note.txt', '${inside}/missing/../note.txt'])`,
    `FROM '${inside}/local/*/*.parquet'`,
    `FROM read_csv('${inside}/note.txt', header = false, store_rejects = true, rejects_table = 'checks')`,
    "FROM query_table('checks')",
    "FROM query_table(['checks_local', 'checks'])",
    'SHOW ALL TABLES',
    'SHOW DATABASES',
    'SHOW checks',
    'DESCRIBE lake.rows',
    'SUMMARIZE SELECT logit FROM checks',
    '-- why\n/* a /* b */ */ EXPLAIN /* c */ ANALYZE -- d\n SELECT 1',
    'FROM information_schema.tables',
    "SELECT config_json->'$.k', list_transform([1], lambda x: x + 1), (SELECT 1) FROM checks",
    "SELECT 'COPY x TO y; DROP VIEW checks'",
    'SELECT 1 AS "attach"',
    "SELECT current_setting('memory_limit')",
    `SELECT ${'(SELECT '.repeat(16)}1${')'.repeat(16)}`,
  ];
  for (const sql of allowed) assert.ok((await runRows(engine, sql)).length > 0, sql);
  const file = join(inside, 'note.txt');
  assert.equal(await runRows(engine, 'SELECT content FROM read_text($file)', { parameters: { file } }), [
    ['hello'],
  ]);
  const outside = { parameters: { file: '/etc/passwd' } };
  assert.is((await errorOf(engine, 'SELECT content FROM read_text($file)', outside)).code, 'refused');
  assert.equal(await runRows(engine, 'SELECT count(*) FROM checks'), [[1n]]);
  engine.close();
  removeFolder(dataDir);
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

test('no macro or view that ships with DuckDB leads to a function that is refused', async ({ engine }) => {
  const refused = [...REFUSED_SCALAR_FUNCTIONS].map((name) => `\\b${name}\\(`).join('|');
  const macros = await runRows(
    engine,
    `SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type LIKE '%macro'
      AND regexp_matches(macro_definition, $refused, 'i')`,
    { parameters: { refused } },
  );
  assert.equal(
    macros.filter(([name]) => !REFUSED_SCALAR_FUNCTIONS.has(String(name))),
    [],
  );
  const views = await runRows(engine, 'SELECT view_name, sql FROM duckdb_views() WHERE internal');
  assert.ok(views.length > 30);
  const reading = /\b(read_\w+|glob|duckdb_secrets|duckdb_variables|\w*scan)\s*\(/;
  assert.equal(
    views.filter(([, sql]) => reading.test(String(sql))),
    [],
  );
});

/** Names of the functions that somebody has looked at, one a line, as DuckDB 1.5 has them. */
const REVIEWED = fileURLToPath(new URL('reviewed-functions.txt', import.meta.url));

test('every function that DuckDB has was looked at', async ({ engine }) => {
  const reviewed = new Set(readFileSync(REVIEWED, 'utf8').split('\n'));
  const names = await runRows(engine, 'SELECT DISTINCT function_name FROM duckdb_functions() ORDER BY 1');
  const unseen = names.map(([name]) => String(name)).filter((name) => !reviewed.has(name));
  // A new one that touches files, the network, the environment or the process belongs into functions.ts.
  assert.equal(unseen, []);
});

const blank = fc.constantFrom(' ', '\n', '\t', ' /* x */ ', ' /* /* ; */ COPY */ ', ' -- COPY;\n', '\u00a0');
const carrier = fc.constantFrom<(sql: string) => string>(
  (sql) => sql,
  (sql) => `EXPLAIN ${sql}`,
  (sql) => `EXPLAIN ANALYZE ${sql}`,
  (sql) => `EXPLAIN (ANALYZE, FORMAT json) ${sql}`,
  (sql) => `(${sql})`,
  (sql) => `FROM (${sql})`,
  (sql) => `SELECT * FROM (${sql}) t`,
  (sql) => `SELECT (${sql})`,
  (sql) => `WITH t AS (${sql}) SELECT 1 FROM t`,
  (sql) => `WITH t AS MATERIALIZED (${sql}) FROM t`,
  (sql) => `SELECT 1; ${sql}`,
  (sql) => `${sql}; SELECT 1`,
  (sql) => `SELECT 1 UNION ALL ${sql}`,
  (sql) => `PREPARE p AS ${sql}`,
  (sql) => `DESCRIBE ${sql}`,
  (sql) => `SUMMARIZE ${sql}`,
  (sql) => `SELECT ';' ; ${sql}`,
  (sql) => `SELECT 1 WHERE EXISTS (${sql})`,
);
const casing = fc.constantFrom<(sql: string) => string>(
  (sql) => sql,
  (sql) => sql.replace(/^\w+/, (word) => word.toLowerCase()),
  (sql) => sql.replace(/^\w+/, (word) => word.toUpperCase()),
);

/** A plan only names what is behind a link: DuckDB refuses to open it when the statement runs. */
function isPlanOfLink(text: string): boolean {
  return /\bexplain\b/i.test(text) && !/\banalyze\b/i.test(text) && text.includes('/link.');
}

test('whatever it is wrapped in, only reading passes', async (state) => {
  const before = contentOf(state.dataDir);
  const forbidden = [...actingAttempts(state), ...readingAttempts(state)].filter((sql) => sql.length < 2_000);
  const wrapped = fc.record({
    sql: fc.constantFrom(...forbidden),
    carriers: fc.array(carrier, { maxLength: 3 }),
    casing,
    blanks: fc.tuple(blank, blank),
  });
  await fc.assert(
    fc.asyncProperty(wrapped, async ({ sql, carriers, casing: recase, blanks: [first, last] }) => {
      const inner = recase(sql);
      const text = first + carriers.reduce((carried, carry) => carry(carried), inner) + last;
      const code = await errorOf(state.engine, text).then(
        (error) => error.code,
        () => 'no error',
      );
      assert.ok(code === 'refused' || code === 'sql' || isPlanOfLink(text), `${code}: ${text}`);
    }),
    { numRuns: 1_500 },
  );
  assert.equal(contentOf(state.dataDir), before);
  assert.equal(await runRows(state.engine, 'SELECT count(*) FROM checks'), [[1n]]);
});

test('a stopped statement ends at once, also where DuckDB hears no interrupt', async ({ engine }) => {
  const controller = new AbortController();
  const reason = new HxError('interrupted', 'Ctrl-C');
  const huge = errorOf(engine, "SELECT length(repeat('x', 300000000))", { signal: controller.signal });
  setTimeout(() => controller.abort(reason), 30);
  assert.is(await huge, reason);
  assert.equal(await runRows(engine, 'SELECT 1'), [[1]]);
});

test.run();
