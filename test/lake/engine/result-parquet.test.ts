import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { HxError } from '../../../src/base/errors.js';
import { type LakeEngine, openLakeEngine } from '../../../src/lake/engine/engine.js';
import { writeResultParquet } from '../../../src/lake/engine/result-parquet.js';
import { exportsFolder } from '../../../src/lake/files/partition.js';
import { makeTempFolder, removeFolder } from '../../helpers.js';
import { allRows } from '../collect.js';

interface State {
  dataDir: string;
  path: string;
  engine: LakeEngine;
}

const test = suite<State>('result to Parquet');

test.before.each(async (state) => {
  state.dataDir = makeTempFolder();
  // Below the exports folder, so that the engine itself can read the file back.
  state.path = join(exportsFolder(state.dataDir), 'out.parquet');
  state.engine = await openLakeEngine({ dataDir: state.dataDir });
});
test.after.each(({ engine, dataDir }) => {
  engine.close();
  removeFolder(dataDir);
});

const EVERY_TYPE = `
  SELECT true AS a_boolean, 1::TINYINT AS a_tinyint, -7::INTEGER AS an_integer, 4294967295::UINTEGER AS a_uinteger,
    9223372036854775807::BIGINT AS a_bigint, 18446744073709551615::UBIGINT AS a_ubigint,
    -99999999999999999999999999999999999999::HUGEINT AS a_hugeint, 0.1::DOUBLE AS a_double,
    -12345.678901::DECIMAL(12, 6) AS a_decimal, 'naïve' AS a_text, '{"a": 1}'::JSON AS a_json,
    '0199c3a5-0000-7000-8000-00000000000a'::UUID AS a_uuid, DATE '1969-12-31' AS a_date,
    TIMESTAMP '2026-11-01 01:02:03.000004' AS a_timestamp, TIMESTAMPTZ '1969-12-31 23:59:59.999999Z' AS an_instant,
    '\\xAB\\x00'::BLOB AS a_blob, [1, NULL, 3] AS a_list, {'k': 1::BIGINT} AS a_struct, INTERVAL 1 DAY AS an_interval,
    NULL AS a_null`;

test('every type comes back with its value, from DuckDB’s own reader', async ({ engine, path }) => {
  const plain = await writeResultParquet(await engine.run(EVERY_TYPE), path);
  assert.is(plain.rows, 1);
  const [expected = []] = await allRows(await engine.run(EVERY_TYPE));
  const read = await engine.run(`FROM read_parquet('${path}')`);
  const [actual = []] = await allRows(read);
  const changed: Record<string, unknown> = {
    a_ubigint: '18446744073709551615',
    a_hugeint: '-99999999999999999999999999999999999999',
    a_uinteger: 4294967295n,
    a_list: '[1,null,3]',
    a_struct: '{"k":"1"}',
  };
  for (const [index, { name }] of read.columns.entries()) {
    assert.equal(actual[index], name in changed ? changed[name] : expected[index], name);
  }
  const types = Object.fromEntries(read.columns.map(({ name, type }) => [name, type]));
  assert.is(types['a_decimal'], 'DECIMAL(12,6)');
  assert.is(types['an_instant'], 'TIMESTAMP WITH TIME ZONE');
  assert.is(types['a_timestamp'], 'TIMESTAMP');
  assert.is(types['a_uuid'], 'UUID');
  for (const name of ['a_json', 'a_list', 'a_struct', 'an_interval']) assert.is(types[name], 'VARCHAR', name);
});

test('JSON keeps its very text, and a cast makes it JSON again', async ({ engine, path }) => {
  const text = '{"seed": 18446744073709551615, "10": 1, "2": 1e0}';
  const parameters = { text };
  await writeResultParquet(await engine.run('SELECT $text::JSON AS j', { parameters }), path);
  const read = `SELECT j, j::JSON->>'$.seed' FROM read_parquet('${path}')`;
  assert.equal(await allRows(await engine.run(read)), [[text, '18446744073709551615']]);
});

test('nulls, repeated column names, many row groups and no rows at all', async ({ engine, path }) => {
  const sql = 'SELECT i AS n, CASE WHEN i % 2 = 0 THEN i::DECIMAL(12, 6) END AS n FROM range(25000) t(i)';
  assert.is((await writeResultParquet(await engine.run(sql), path)).rows, 25_000);
  const check = `SELECT count(*), sum(n)::BIGINT, sum(n_2)::BIGINT, count(n_2) FROM read_parquet('${path}')`;
  assert.equal(await allRows(await engine.run(check)), [[25_000n, 312_487_500n, 156_237_500n, 12_500n]]);
  assert.is((await writeResultParquet(await engine.run('FROM checks'), path)).rows, 0);
  assert.equal(await allRows(await engine.run(`FROM read_parquet('${path}')`)), []);
});

test('a result that fails half-way leaves the old file as it was', async ({ engine, path }) => {
  await writeResultParquet(await engine.run('SELECT 1 AS one'), path);
  const failing = "SELECT CASE WHEN i = 900000 THEN error('boom') ELSE 1 END FROM range(1000000) t(i)";
  try {
    await writeResultParquet(await engine.run(failing), path);
    assert.unreachable();
  } catch (error) {
    assert.is((error as HxError).code, 'sql');
  }
  assert.equal(await allRows(await engine.run(`FROM read_parquet('${path}')`)), [[1]]);
  assert.equal(readdirSync(join(path, '..')), ['out.parquet']);
});

test('an integer beyond what Parquet holds is refused, not rounded', async ({ engine, path }) => {
  try {
    await writeResultParquet(
      await engine.run('SELECT 170141183460469231731687303715884105727::HUGEINT AS big'),
      path,
    );
    assert.unreachable();
  } catch (error) {
    assert.match((error as HxError).hint ?? '', /Cast the column/);
  }
  assert.not.ok(existsSync(path));
});

test.run();
