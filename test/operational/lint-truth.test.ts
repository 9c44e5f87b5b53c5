import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { systemCode } from '../../src/base/errors.js';
import { readHeader } from '../../src/operational/schema/header.js';
import { lintMigration } from '../../src/operational/schema/lint/lint.js';
import { STEADY_FUNCTIONS } from '../../src/operational/schema/lint/rules/columns.js';
import { createTestDatabase, type TestDatabase } from '../helpers.js';

/** What the rules say of Postgres, asked of a real one. */
const test = suite('what lint says is true of Postgres');
let database: TestDatabase;
test.before(async () => {
  database = await createTestDatabase({ empty: true });
});
test.after(() => database.drop());

const MAKE = `
  drop table if exists t; drop materialized view if exists v;
  create table t (a integer, b integer default 1, constraint own check (a > 0) not valid);
  create index i on t (a);
  insert into t select n from generate_series(1, 10) n;
  create materialized view v as select 1 as a;
  create unique index on v (a)`;

async function rulesOf(sql: string): Promise<string[]> {
  const findings = await lintMigration({ name: 'a.sql', sql, ...readHeader('a.sql', sql) });
  return findings.map(({ rule }) => rule);
}

test('functions taken for steady are not volatile in any of their forms', async () => {
  const rows = await database.sql<{ name: string; volatile: boolean }[]>`
    select proname as name, bool_or(provolatile = 'v') as volatile from pg_proc
    where pronamespace = 'pg_catalog'::regnamespace and proname = any(${[...STEADY_FUNCTIONS]}) group by 1`;
  assert.equal(
    rows.filter(({ volatile }) => volatile),
    [],
  );
  assert.equal(rows.map(({ name }) => name).sort(), [...STEADY_FUNCTIONS].sort());
});

test('a column that lint calls a rewrite gives the table a new file, and one that it lets pass does not', async () => {
  for (const column of [
    'c uuid default gen_random_uuid()',
    'c bigint generated always as identity',
    'c integer generated always as (a + 1) stored',
    'c bigserial',
    'c double precision not null default random()',
    'c timestamptz default clock_timestamp()',
    'c timestamptz not null default now()',
    'c timestamptz default current_timestamp',
    "c text not null default upper('x')",
    "c jsonb not null default '{}'",
    'c integer',
  ]) {
    await database.sql.unsafe(MAKE);
    const file = async () =>
      (await database.sql<{ file: number }[]>`select pg_relation_filenode('t')::integer as file`)[0]?.file;
    const before = await file();
    const sql = `alter table t add column ${column}`;
    await database.sql.unsafe(sql);
    assert.is(
      (await rulesOf(sql)).includes('add-column-volatile-default'),
      (await file()) !== before,
      column,
    );
  }
});

test('what lint says cannot run in a transaction is refused there, and its like runs', async () => {
  for (const sql of [
    'create index concurrently j on t (a)',
    'drop index concurrently i',
    'reindex (concurrently) table t',
    'reindex schema public',
    'vacuum t',
    'cluster',
    "alter system set work_mem = '4MB'",
    'reindex table t',
    'refresh materialized view concurrently v',
    'analyze t',
    'cluster t using i',
    'alter table t validate constraint own',
  ]) {
    await database.sql.unsafe(MAKE);
    const refused = await database.sql
      .begin((transaction) => transaction.unsafe(sql))
      .then(
        () => false,
        (error: unknown) => {
          assert.is(systemCode(error), '25001', `${sql}: ${error}`);
          return true;
        },
      );
    assert.is((await rulesOf(sql)).includes('refused-in-transaction'), refused, sql);
  }
});

test('the locks are those that the rules name', async () => {
  for (const [sql, lock] of [
    ['alter table t add constraint c check (a > 0)', 'AccessExclusiveLock'],
    ['alter table t alter column a set not null', 'AccessExclusiveLock'],
    ['alter table t add unique (a)', 'AccessExclusiveLock'],
    ['alter table t validate constraint own', 'ShareUpdateExclusiveLock'],
    ['create index j on t (a)', 'ShareLock'],
    ['drop index i', 'AccessExclusiveLock'],
    ['truncate t', 'AccessExclusiveLock'],
    [
      'create table u (a integer primary key); alter table t add foreign key (b) references u not valid',
      'ShareRowExclusiveLock',
    ],
  ] as const) {
    await database.sql.unsafe(`drop table if exists u cascade; ${MAKE}`);
    const connection = await database.sql.reserve();
    try {
      await connection.unsafe(`begin; ${sql}`);
      const held = await connection<{ mode: string }[]>`
        select mode from pg_locks where pid = pg_backend_pid() and relation = 't'::regclass`;
      assert.ok(
        held.some(({ mode }) => mode === lock),
        `${sql}: ${held.map(({ mode }) => mode)}`,
      );
    } finally {
      await connection.unsafe('rollback');
      connection.release();
    }
  }
});

test.run();
