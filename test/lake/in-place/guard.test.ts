import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadDuckdb } from '../../../src/lake/engine/duckdb-api.js';
import { guardStatement } from '../../../src/lake/engine/guard.js';
import { LakeRoots } from '../../../src/lake/engine/roots.js';
import { TreeParser } from '../../../src/lake/engine/tree-parser.js';
import { failureOf } from '../../helpers.js';
import { leavingAttempts } from './attempts.js';

interface State {
  guard(sql: string, parameters?: Record<string, unknown>): Promise<unknown>;
  close(): void;
}

const URL = 's3://bucket/some/prefix';
const test = suite<State>('guard of a lake on S3');

test.before(async (state) => {
  const instance = await loadDuckdb().DuckDBInstance.create();
  const connection = await instance.connect();
  const parser = new TreeParser(connection);
  const roots = new LakeRoots([URL]);
  state.guard = (sql, parameters = {}) =>
    guardStatement(sql, { parse: (text) => parser.parse(text), roots, parameters });
  state.close = () => {
    connection.closeSync();
    instance.closeSync();
  };
});
test.after(({ close }) => close());

test('what would leave the lake, or hide where it leads, is refused before DuckDB sees it', async ({
  guard,
}) => {
  const attempts = leavingAttempts({ url: URL, stranger: '127.0.0.1:9', own: '127.0.0.1:8' });
  assert.ok(attempts.length >= 50);
  for (const sql of attempts) {
    const error = await failureOf(guard(sql));
    assert.is(error.code, 'refused', `${sql}: ${error.message}`);
    assert.ok(error.hint, sql);
  }
  const parameters = { file: 'http://127.0.0.1:9/../../s3:/bucket/some/prefix/x' };
  for (const sql of ['FROM read_text($file)', 'FROM query_table($file)']) {
    const error = await failureOf(guard(sql, parameters));
    assert.is(error.code, 'refused', sql);
  }
});

test('views, files of the lake and values go through', async ({ guard }) => {
  for (const sql of [
    'FROM checks',
    'FROM lake.rows',
    'FROM memory.main.checks',
    "FROM query_table('checks')",
    "FROM query_table(['checks_local', 'checks_production'])",
    'FROM histogram(checks, k * 2, bin_count := 5)',
    "FROM pragma_table_info('checks')",
    `FROM '${URL}/local/dt=2026-11-01/c-s3-1.parquet'`,
    `FROM read_parquet(['${URL}/local/dt=2026-11-01/c-s3-1.parquet'])`,
    `FROM read_text('${URL}/local/_hx/manifest.json')`,
    "SELECT 'http://127.0.0.1/../x' FROM checks WHERE claim LIKE '%s3://%?%'",
  ]) {
    await guard(sql);
  }
  await guard('FROM read_text($file)', { file: `${URL}/local/_hx/manifest.json` });
});

test.run();
