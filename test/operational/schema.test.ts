import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sha256Hex } from '../../src/base/canonical.js';
import { uuidv7 } from '../../src/base/ids.js';
import { CHECK_COLUMNS, findCheck, insertCheck } from '../../src/operational/checks.js';
import { openDatabase } from '../../src/operational/connection.js';
import { insertReadouts, readReadouts } from '../../src/operational/readouts.js';
import type { Column, ColumnType } from '../../src/rpl/column.js';
import type { Readout } from '../../src/rpl/readout.js';
import { ATTEMPT_COLUMNS, CHANGE_COLUMNS, READOUT_COLUMNS } from '../../src/rpl/record.js';
import { createTestDatabase, type TestDatabase } from '../helpers.js';
import { checkRow } from './fixtures.js';

const test = suite('operational schema');
let database: TestDatabase;

test.before(async () => {
  database = await createTestDatabase();
});
test.after(() => database.drop());

const POSTGRES_TYPES: Readonly<Record<ColumnType, string>> = {
  uuid: 'uuid',
  text: 'text',
  boolean: 'boolean',
  integer: 'integer',
  uint64: 'numeric(20,0)',
  double: 'double precision',
  money: 'numeric(12,6)',
  timestamp: 'timestamp with time zone',
  json: 'jsonb',
};

/** `name type nullability` of every column of a real table. */
async function columnsOf(table: string): Promise<string[]> {
  const rows = await database.sql<{ name: string; type: string; required: boolean }[]>`
    select attname as name, format_type(atttypid, atttypmod) as type, attnotnull as required
    from pg_attribute where attrelid = ${table}::regclass and attnum > 0 and not attisdropped order by attnum`;
  return rows.map(({ name, type, required }) => `${name} ${type}${required ? ' not null' : ''}`);
}

function expected(columns: readonly Column[]): string[] {
  return columns.map(
    ({ name, type, nullable }) => `${name} ${POSTGRES_TYPES[type]}${nullable ? '' : ' not null'}`,
  );
}

test('checks has the columns of a run and lane A’s own, no other', async () => {
  // Columns that a migration added stand at the end of the table.
  const own = [
    'user_id uuid',
    'request_id uuid',
    'cache_key text',
    'xid xid8 not null',
    'stored_at timestamp with time zone not null',
  ];
  assert.equal(
    (await columnsOf('checks')).sort(),
    [...expected([...CHECK_COLUMNS, ...CHANGE_COLUMNS]), ...own].sort(),
  );
});

test('attempts has the columns of an attempt and lane A’s own, no other', async () => {
  assert.equal(await columnsOf('attempts'), [
    'attempt_id uuid not null',
    'run_id uuid not null',
    'env text not null',
    ...expected(ATTEMPT_COLUMNS),
    'stored_at timestamp with time zone not null',
  ]);
});

test('readouts has the columns of a readout and lane A’s own, no other', async () => {
  assert.equal(await columnsOf('readouts'), [
    'readout_id uuid not null',
    'run_id uuid not null',
    'env text not null',
    ...expected(READOUT_COLUMNS),
    'stored_at timestamp with time zone not null',
  ]);
});

test('a check comes back as it was stored', async () => {
  const { settings } = database;
  const opened = await openDatabase({
    settings,
    signal: new AbortController().signal,
    emit: () => undefined,
  });
  try {
    const check = checkRow('local');
    await opened.write((sql) => insertCheck(sql, check, { cacheKey: 'key', requestId: null }));
    assert.equal(await findCheck(opened, check.run_id), check);
  } finally {
    await opened.close();
  }
});

test('a readout comes back as it was stored, and stays as it is', async () => {
  const opened = await openDatabase({
    settings: database.settings,
    signal: new AbortController().signal,
    emit: () => undefined,
  });
  try {
    const runId = uuidv7(new Date());
    const readout: Readout = {
      sampleKey: sha256Hex('key'),
      templateId: 'check-fact',
      replicate: 0,
      ordinal: 1,
      status: 'low_mass',
      probTrue: null,
      massTrue: 0.125,
      massFalse: 0.25,
      tokens: [{ token: ' True', logprob: -0.5 }],
      temperature: 1,
      answerText: 'As',
      problem: 'too little',
      modelResolved: 'm-1',
      systemFingerprint: null,
      tokensIn: 90,
      tokensOut: 2,
      startedAt: new Date('2026-11-22T00:00:01.234Z'),
      latencyMs: 12.5,
    };
    await insertReadouts(opened, runId, [{ readoutId: uuidv7(new Date()), readout }]);
    assert.equal(await readReadouts(opened, runId), [readout]);
    for (const statement of ['delete from readouts', "update readouts set status = 'refused'"]) {
      let thrown: unknown;
      await opened
        .write((sql) => sql.unsafe(statement))
        .catch((error: unknown) => {
          thrown = error;
        });
      assert.match(String(thrown), /never changed or removed|refused|permission/i, statement);
    }
    assert.equal(await readReadouts(opened, runId), [readout]);
  } finally {
    await opened.close();
  }
});

test('every foreign key has an index that starts with its columns', async () => {
  const missing = await database.sql<{ name: string }[]>`
    select c.conrelid::regclass || '.' || c.conname as name from pg_constraint c
    where c.contype = 'f' and not exists (
      select from pg_index i where i.indrelid = c.conrelid
        and (i.indkey::int2[])[0:cardinality(c.conkey) - 1] = c.conkey)`;
  assert.equal([...missing], []);
});

test('instants are kept with their time zone, JSON as jsonb', async () => {
  const wrong = await database.sql<{ name: string }[]>`
    select table_name || '.' || column_name as name from information_schema.columns
    where table_schema in ('public', 'hx') and data_type in ('timestamp without time zone', 'json')`;
  assert.equal([...wrong], []);
});

test.run();
