import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HxError } from '../../../src/base/errors.js';
import { packagePath } from '../../../src/base/paths.js';
import { DAY_COLUMN } from '../../../src/lake/catalog/catalog.js';
import { type LakeEngine, openLakeEngine } from '../../../src/lake/engine/engine.js';
import { exportsFolder } from '../../../src/lake/files/partition.js';
import { duckdbType, LAKE_COLUMNS } from '../../../src/lake/files/schema.js';
import { makeTempFolder, removeFolder, runHx } from '../../helpers.js';
import { errorOf, runRows } from '../collect.js';
import { lakeRow } from '../rows.js';
import { appendRun, writeRange } from '../write.js';

interface State {
  dataDir: string;
  exportsDir: string;
  engine: LakeEngine;
}

const VIEWS = [
  'checks',
  'checks_local',
  'checks_development',
  'checks_production',
  'research_runs',
  'operational_checks',
];

/** Folders of one run each, as hx wrote it when the schema version was 1 (`lakeRow(1)`) and 2 (`lakeRow(2)`). */
const FIXTURES = ['../v1/', '../v2/'].map((folder) => fileURLToPath(new URL(folder, import.meta.url)));

const test = suite<State>('lake engine');

test.before.each(async (state) => {
  state.dataDir = makeTempFolder();
  state.exportsDir = exportsFolder(state.dataDir);
  state.engine = await openLakeEngine({ dataDir: state.dataDir });
});
test.after.each(({ engine, dataDir }) => {
  engine.close();
  removeFolder(dataDir);
});

function expectedColumns() {
  return [...LAKE_COLUMNS.map((column) => ({ name: column.name, type: duckdbType(column) })), DAY_COLUMN];
}

test('an empty lake has every view, empty, with the columns and types of LAKE_COLUMNS', async ({
  engine,
  exportsDir,
}) => {
  assert.not.ok(existsSync(exportsDir));
  const tables = await engine.tables();
  assert.equal(
    tables.map(({ name }) => name),
    VIEWS,
  );
  for (const { name, columns } of tables) {
    assert.equal(columns, expectedColumns(), name);
    assert.equal(await runRows(engine, `FROM ${name}`), []);
  }
});

test('files of every schema version are read side by side, without the columns that each lacks', async ({
  engine,
  exportsDir,
}) => {
  const third = lakeRow(3, { n_readouts: 4, model_changed: true, revision: 2 });
  await appendRun(exportsDir, third);
  for (const folder of FIXTURES) {
    cpSync(folder, join(exportsDir, 'local', 'dt=2026-11-01'), { recursive: true });
  }
  const query = `select claim, run_id, prob_true_rpl, prob_true_logprob, n_readouts, readouts_by_status_json,
    model_changed, revision, deleted_at from checks order by created_at`;
  const estimate = third.prob_true_rpl;
  assert.equal(await runRows(engine, query), [
    ['A row of schema version 1.', lakeRow(1).run_id, estimate, null, null, null, null, 0, null],
    ['A row of schema version 2.', lakeRow(2).run_id, estimate, 0.625, 8, '{"valid":8}', true, 0, null],
    ['Claim 3.', third.run_id, estimate, null, 4, null, true, 2, null],
  ]);
  const result = await engine.run('FROM checks');
  assert.equal(result.columns, expectedColumns());
  rmSync(join(exportsDir, 'local', 'dt=2026-11-01', `r-s3-${third.run_id}.parquet`));
  assert.equal(await runRows(engine, 'select claim, n_readouts from checks order by 1'), [
    ['A row of schema version 1.', null],
    ['A row of schema version 2.', 8],
  ]);
});

test('a filled lake has the same columns and types, and keeps every value', async ({
  engine,
  exportsDir,
}) => {
  const row = lakeRow(1, { cached_from: '0199c3a5-0000-7000-8000-00000000000a', cost_usd: '999999.999999' });
  await appendRun(exportsDir, row);
  const result = await engine.run('FROM checks');
  assert.equal(result.columns, expectedColumns());
  const [values = []] = await runRows(engine, 'FROM checks');
  for (const [index, { name, type }] of LAKE_COLUMNS.entries()) {
    const stored = row[name];
    const expected =
      type === 'timestamp'
        ? ((stored as Date | null)?.toISOString() ?? null)
        : type === 'uint64'
          ? String(stored)
          : stored;
    assert.equal(values[index], expected, name);
  }
});

test('an open engine sees the first file of an empty lake, later files, and their removal', async ({
  engine,
  exportsDir,
}) => {
  const count = async () => (await runRows(engine, 'SELECT count(*) FROM checks'))[0]?.[0];
  assert.is(await count(), 0n);
  await appendRun(exportsDir, lakeRow(1));
  assert.is(await count(), 1n);
  rmSync((await appendRun(exportsDir, lakeRow(1))).path);
  await appendRun(exportsDir, lakeRow(1, { prob_true_rpl: 0.5 }));
  assert.equal(await runRows(engine, 'SELECT prob_true_rpl FROM checks'), [[0.5]]);
  await appendRun(exportsDir, lakeRow(2));
  assert.is(await count(), 2n);
  rmSync(exportsDir, { recursive: true });
  assert.is(await count(), 0n);
});

test('each view shows its environment or lane', async ({ engine, exportsDir }) => {
  await appendRun(exportsDir, lakeRow(1));
  await appendRun(exportsDir, lakeRow(2, { env: 'development', lane: 'operational' }));
  await appendRun(exportsDir, lakeRow(3, { env: 'production', lane: 'operational' }));
  const counts: Record<string, unknown> = {};
  for (const view of VIEWS) counts[view] = (await runRows(engine, `SELECT count(*) FROM ${view}`))[0]?.[0];
  assert.equal(counts, {
    checks: 3n,
    checks_local: 1n,
    checks_development: 1n,
    checks_production: 1n,
    research_runs: 1n,
    operational_checks: 2n,
  });
});

test('JSON columns answer paths, and instants keep their microseconds and their zone', async ({
  engine,
  exportsDir,
}) => {
  const created_at = BigInt(Date.UTC(2026, 10, 1)) * 1000n + 123_456n;
  await writeRange(exportsDir, [{ ...lakeRow(1), created_at }]);
  const sql =
    "SELECT config_json->>'$.k', sampler_json->'slots'->>1, created_at, created_at::DATE FROM checks";
  assert.equal(await runRows(engine, sql), [['8', 'b', '2026-11-01T00:00:00.123456Z', '2026-11-01']]);
});

test('days and hours are of UTC, wherever the machine is, and the condition of the docs runs', async ({
  exportsDir,
  dataDir,
}) => {
  for (const [number, hour] of ['11:59:59', '12:00:00', '23:59:59'].entries()) {
    await appendRun(exportsDir, lakeRow(number, { created_at: new Date(`2026-11-01T${hour}Z`) }));
  }
  const docs = readFileSync(packagePath('docs', 'queries.md'), 'utf8');
  const condition = /`(WHERE dt [^`]+)`/.exec(docs)?.[1];
  // DuckDB asks for the zone once a process.
  const program = `
    const { main } = await import(${JSON.stringify(import.meta.resolve('../../../src/cli/main.ts'))});
    process.exitCode = await main(process);`;
  const ask = (sql: string) => {
    const argv = ['--import', import.meta.resolve('tsx'), '--input-type=module', '--eval', program];
    const env = { ...process.env, TZ: 'Asia/Tokyo', HX_DATA_DIR: dataDir };
    return execFileSync(process.execPath, [...argv, '--', 'hx', 'query', sql], { env, encoding: 'utf8' });
  };
  assert.is(
    ask('SELECT DISTINCT created_at::DATE AS day, dt FROM checks'),
    'day,dt\r\n2026-11-01,2026-11-01\r\n',
  );
  assert.is(ask(`SELECT count(*) AS n FROM checks ${condition}`), 'n\r\n2\r\n');
});

test('values come as plain JavaScript', async ({ engine }) => {
  const sql = `
    SELECT NULL, true, 7::INTEGER, 7::BIGINT, 170141183460469231731687303715884105727::HUGEINT, 0.5::DOUBLE,
      0.10::DECIMAL(12, 2), -0.000001::DECIMAL(12, 6), DATE '0044-03-15', TIMESTAMP '2026-11-01 01:02:03',
      TIMESTAMPTZ '1969-12-31 23:59:59.999999Z', '\\xAB'::BLOB, [1, NULL], {'a': DATE '2026-11-01'},
      MAP {'k': 1::BIGINT}, '{"a":1}'::JSON, INTERVAL 2 DAY, 'infinity'::TIMESTAMPTZ`;
  const [row] = await runRows(engine, sql);
  assert.equal(row, [
    ...[null, true, 7, 7n, 170141183460469231731687303715884105727n, 0.5],
    ...['0.10', '-0.000001', '0044-03-15', '2026-11-01T01:02:03.000'],
    ...['1969-12-31T23:59:59.999999Z', 'ab', [1, null], { a: '2026-11-01' }],
    ...[{ k: 1n }, '{"a":1}', '2 days', 'infinity'],
  ]);
});

test('columns keep their names, also two of one name, and rows their order', async ({ engine }) => {
  const cases: [string, string[]][] = [
    ['SELECT 1 AS a, 2 AS a', ['a', 'a']],
    ['SELECT 1 AS a, 2 AS A', ['a', 'A']],
    ['SELECT count(*), count(*) FROM range(2)', ['count_star()', 'count_star()']],
    ['SELECT 1 AS a_1, 2 AS a', ['a_1', 'a']],
    ['SELECT 1 AS b_1', ['b_1']],
    ['VALUES (1, 2)', ['col0', 'col1']],
    ['SELECT 1 + 1, -- one; two\n NULL AS "$1";', ['(1 + 1)', '$1']],
  ];
  for (const [sql, names] of cases) {
    const { columns, chunks } = await engine.run(sql);
    assert.equal(
      columns.map(({ name }) => name),
      names,
      sql,
    );
    for await (const chunk of chunks) assert.is(chunk[0]?.length, names.length);
  }
  const rows = await runRows(engine, 'SELECT i FROM range(300000) t(i) ORDER BY -i');
  assert.ok(rows.every(([i], index) => i === 299_999n - BigInt(index)));
});

test('a parameter without a value is asked for, and a mistake is shown in its line', async ({ engine }) => {
  const missing = await errorOf(engine, 'SELECT $a');
  assert.is(missing.code, 'usage');
  assert.match(missing.message, '"a"');
  for (const [sql, place] of [
    ['SELECT nope\nFROM checks', { line: 1, excerpt: 'SELECT nope', caret: 7 }],
    ['SELECT 1\nFROM checks\nWHERE 1 = nope', { line: 3, excerpt: 'WHERE 1 = nope', caret: 10 }],
  ] as const) {
    assert.equal((await errorOf(engine, sql)).facts, place);
  }
});

test('parameters are bound by name, never put into the text', async ({ engine }) => {
  const parameters = { text: "'; DROP VIEW checks; --", number: 2, none: null };
  assert.equal(await runRows(engine, 'SELECT $text, $number + 1, $none IS NULL', { parameters }), [
    [parameters.text, 3, true],
  ]);
  assert.is((await errorOf(engine, 'SELECT $a + $b', { parameters: { a: 1 } })).code, 'usage');
  assert.match((await errorOf(engine, 'SELECT $a', { parameters: { a: 1, c: 1 } })).message, '"c"');
});

test('a large result arrives in chunks, and stopping early leaves the engine usable', async ({ engine }) => {
  for (let round = 0; round < 3; round += 1) {
    const { chunks } = await engine.run('SELECT i, repeat(i::VARCHAR, 10) FROM range(10000000) t(i)');
    for await (const chunk of chunks) {
      assert.ok(chunk.length > 0 && chunk.length <= 2048);
      break;
    }
  }
  assert.equal(await runRows(engine, 'SELECT 1'), [[1]]);
});

test('a stream that breaks half-way fails with its reason instead of ending early', async ({ engine }) => {
  const sql = "SELECT CASE WHEN i = $bad THEN error('boom') ELSE i END FROM range(1000000) t(i)";
  const error = await errorOf(engine, sql, { parameters: { bad: 900_000 } });
  assert.is(error.code, 'sql');
  assert.is(error.message, 'boom');
  assert.is((await runRows(engine, sql, { parameters: { bad: -1 } })).length, 1_000_000);
});

test('results stream side by side', async ({ engine }) => {
  const sums = await Promise.all(
    [1, 2, 3].map(async (step) => {
      let sum = 0n;
      for await (const chunk of (await engine.run(`SELECT i FROM range(0, 10000, ${step}) t(i)`)).chunks) {
        for (const [value] of chunk) sum += value as bigint;
      }
      return sum;
    }),
  );
  assert.equal(sums, [49_995_000n, 24_995_000n, 16_668_333n]);
});

const ENDLESS = 'SELECT count(*) FROM range(10000000) a, range(10000000) b';

test('a signal stops a statement with its reason, before, during and between chunks', async ({ engine }) => {
  const reason = new HxError('interrupted', 'Ctrl-C');
  assert.is(await errorOf(engine, 'SELECT 1', { signal: AbortSignal.abort(reason) }), reason);
  const during = new AbortController();
  setTimeout(() => during.abort(reason), 50);
  assert.is(await errorOf(engine, ENDLESS, { signal: during.signal }), reason);
  const between = new AbortController();
  const { chunks } = await engine.run('SELECT i FROM range(1000000) t(i)', { signal: between.signal });
  try {
    for await (const _ of chunks) between.abort(reason);
    assert.unreachable();
  } catch (error) {
    assert.is(error, reason);
  }
  assert.equal(await runRows(engine, 'SELECT 1'), [[1]]);
});

test('interrupt stops what runs, and the engine stays usable', async ({ engine }) => {
  const running = errorOf(engine, ENDLESS);
  const timer = setInterval(() => engine.interrupt(), 20);
  const error = await running;
  clearInterval(timer);
  assert.is(error.code, 'interrupted');
  assert.equal(await runRows(engine, 'SELECT 1'), [[1]]);
});

test('what exceeds memory spills below the data folder, and closing removes it', async ({ dataDir }) => {
  const small = await openLakeEngine({ dataDir, memoryLimit: '60MB' });
  const sql = `
    SELECT count(*) FROM (
      SELECT repeat(md5(i::VARCHAR), 4) AS text FROM range(1000000) t(i) ORDER BY text OFFSET 1
    ) WHERE text <> ''`;
  assert.equal(await runRows(small, sql), [[999_999n]]);
  small.close();
  assert.equal(readdirSync(dataDir), []);
});

test('a data folder with quotes and glob characters in its name is read all the same', async ({
  dataDir,
}) => {
  const odd = join(dataDir, "it's [a] *dir?");
  await appendRun(exportsFolder(odd), lakeRow(1));
  const engine = await openLakeEngine({ dataDir: odd });
  assert.equal(await runRows(engine, 'SELECT count(*) FROM checks'), [[1n]]);
  engine.close();
});

test('SQL errors are short, say what to do, and name the place', async ({ engine }) => {
  const cases: [string, RegExp, RegExp][] = [
    ['SELECT prob FROM checks', /column "prob" not found/, /DESCRIBE checks/],
    ['SELECT 1 FROM cheks', /Table with name cheks does not exist/, /SHOW TABLES/],
    ['SELECT foo(1)', /Function with name foo does not exist/, /duckdb_functions/],
    ['SELECT 1 +\n  FROM', /^Syntax error at or near "FROM" \(line 2, column 3\)\.$/, /run it again/],
    ["SELECT 'a'::INTEGER", /^Could not convert string 'a' to INT32\.$/, /run it again/],
    ['', /no statement/, /SELECT/],
    ['-- only a comment', /no statement/, /SELECT/],
  ];
  for (const [sql, message, hint] of cases) {
    const error = await errorOf(engine, sql);
    assert.is(error.code, 'sql', sql);
    assert.match(error.message, message);
    assert.match(error.hint ?? '', hint);
    assert.not.match(error.message, /LINE|Error:|\n/);
  }
});

test('a damaged file is named', async ({ engine, exportsDir }) => {
  const { path } = await appendRun(exportsDir, lakeRow(1));
  writeFileSync(join(path, '..', 'r-s1-broken.parquet'), 'PAR1 not really');
  const error = await errorOf(engine, 'SELECT max(logit) FROM checks');
  assert.is(error.code, 'failed');
  assert.match(error.message, 'r-s1-broken.parquet');
  assert.match(error.hint ?? '', /Restore it .*docs\/exports\.md/);
});

test('a file that is not there is not called damaged', async ({ engine, exportsDir }) => {
  await appendRun(exportsDir, lakeRow(1));
  for (const name of ['none.parquet', 'no*.parquet', 'none.csv']) {
    const error = await errorOf(engine, `FROM '${join(exportsDir, name)}'`);
    assert.is(error.code, 'not_found', name);
    assert.match(error.message, name);
    assert.match(error.hint ?? '', /SHOW TABLES/);
  }
});

test('only views of the lake are suggested for a table that is not there', async ({ engine }) => {
  for (const name of ['pg_clas', 'foo_bar_enum', 'sqlite_mast']) {
    const { message } = await errorOf(engine, `FROM ${name}`);
    assert.is(message, `Table with name ${name} does not exist.`);
  }
  assert.match((await errorOf(engine, 'FROM cheks')).message, /Did you mean "checks"\?$/);
  assert.match((await errorOf(engine, 'FROM lake.row')).message, /Did you mean "rows"\?$/);
});

test('what a statement raises by error() is left as it is', async ({ engine, exportsDir }) => {
  const said = 'no rows: see "none.parquet". Did you mean "pg_class"?\n\nAsk again!';
  const error = await errorOf(engine, 'SELECT error($said)', { parameters: { said } });
  assert.is(error.code, 'sql');
  assert.is(error.message, said);
  assert.match(error.hint ?? '', 'error()');
  const { path } = await appendRun(exportsDir, lakeRow(1));
  writeFileSync(path, 'not Parquet at all');
  const damaged = await errorOf(engine, `SELECT error(claim) FROM '${path}'`);
  assert.is(damaged.code, 'failed');
  assert.match(damaged.hint ?? '', /damaged/);
});

test('a data folder that is a file, or below one, is refused before anything runs', async ({ dataDir }) => {
  const file = join(dataDir, 'file');
  writeFileSync(file, 'in the way');
  for (const folder of [file, join(file, 'below')]) {
    try {
      (await openLakeEngine({ dataDir: folder })).close();
      assert.unreachable();
    } catch (error) {
      assert.is((error as HxError).code, 'configuration');
      assert.match((error as HxError).message, folder);
    }
    for (const argv of [
      ['query', 'SELECT 1'],
      ['export', 'checks', '--since', '2026-11-01'],
    ]) {
      const { exitCode, stdout, stderr } = await runHx(argv, { env: { HX_DATA_DIR: folder } });
      assert.is(exitCode, 2, stderr);
      assert.is(stdout, '');
      assert.match(stderr, folder);
      assert.match(stderr, 'HX_DATA_DIR');
    }
  }
});

test('completion knows the views and their columns, and survives nonsense', async ({ engine }) => {
  assert.ok((await engine.complete('SELECT * FROM che')).includes('checks'));
  assert.ok((await engine.complete('SELECT claim_h')).includes('claim_hash'));
  assert.ok(Array.isArray(await engine.complete("'; )(")));
});

test.run();
