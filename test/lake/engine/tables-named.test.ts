import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { VIEW_NAMES } from '../../../src/lake/catalog/catalog.js';
import { loadDuckdb } from '../../../src/lake/engine/duckdb-api.js';
import { openLakeEngine } from '../../../src/lake/engine/engine.js';
import { tablesNamed } from '../../../src/lake/engine/tables-named.js';
import { makeTempFolder } from '../../helpers.js';
import { runRows } from '../collect.js';

const test = suite('tables that a statement names');

/** What statements name; undefined: they may see every view. */
const NAMED: Readonly<Record<string, readonly string[] | undefined>> = {
  'SELECT count(*) FROM checks': ['checks'],
  'SELECT (SELECT count(*) FROM Research_Runs)': ['research_runs'],
  'WITH a AS (FROM checks_local), b AS (FROM a) SELECT * FROM b WHERE 1 IN (SELECT pqs FROM checks)': [
    'checks',
    'checks_local',
  ],
  "PIVOT checks ON verdict IN ('likely_true') USING count(*)": ['checks'],
  "FROM read_parquet('x'), range(3)": [],
  'FROM sqlite_master': ['sqlite_master'],
  'SHOW TABLES': undefined,
  'DESCRIBE checks': undefined,
  'FROM duckdb_views()': undefined,
  "FROM query_table('checks_' || 'local')": undefined,
  'WITH tables AS (SELECT 1) FROM information_schema.tables': undefined,
};

test('views are found wherever a statement names them', async () => {
  const instance = await loadDuckdb().DuckDBInstance.create();
  const connection = await instance.connect();
  for (const [sql, expected] of Object.entries(NAMED)) {
    const reader = await connection.runAndReadAll('SELECT json_serialize_sql($1::VARCHAR)', [sql]);
    const { statements } = JSON.parse(String(reader.getRowsJS()[0]?.[0])) as { statements: unknown[] };
    const found = tablesNamed(statements[0]);
    assert.equal(found === undefined ? undefined : [...found].sort(), expected, sql);
  }
  connection.closeSync();
  instance.closeSync();
});

test('every way to a view of an engine finds it, first of all', async () => {
  const ways = [
    'SELECT count(*) FROM checks_production',
    "SELECT count(*) FROM query_table('research_runs')",
    'EXPLAIN SELECT count(*) FROM "Operational_Checks"',
    'SELECT count(*) FROM (DESCRIBE checks_local)',
    'SELECT count(*) FROM main.checks_development',
  ];
  for (const sql of ways) {
    const engine = await openLakeEngine({ dataDir: makeTempFolder() });
    assert.equal((await runRows(engine, sql)).length, 1, sql);
    engine.close();
  }
});

test('views that nobody named yet are listed, completed and suggested', async () => {
  const first = async <T>(ask: (engine: Awaited<ReturnType<typeof openLakeEngine>>) => Promise<T>) => {
    const engine = await openLakeEngine({ dataDir: makeTempFolder() });
    try {
      return await ask(engine);
    } finally {
      engine.close();
    }
  };
  const catalog =
    "SELECT view_name FROM duckdb_views() WHERE NOT internal AND schema_name = 'main' ORDER BY 1";
  const listed = await first((engine) => runRows(engine, catalog));
  assert.equal(listed.flat(), [...VIEW_NAMES].sort());
  assert.ok((await first((engine) => engine.complete('SELECT * FROM research_'))).includes('research_runs'));
  assert.is(
    (await first((engine) => engine.tables())).every(({ columns }) => columns.length > 0),
    true,
  );
  try {
    await first((engine) => engine.run('SELECT * FROM research_run'));
    assert.unreachable();
  } catch (error) {
    assert.match(String(error), /Did you mean "research_runs"/);
  }
});

test.run();
