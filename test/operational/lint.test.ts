import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { migrationsFolder, readMigrations } from '../../src/operational/schema/files.js';
import { readHeader } from '../../src/operational/schema/header.js';
import { type Finding, lintMigration } from '../../src/operational/schema/lint/lint.js';
import { RULE_NAMES, type RuleName } from '../../src/operational/schema/lint/names.js';
import { RULES } from '../../src/operational/schema/lint/rules/index.js';

const test = suite('lint of migrations');

function lint(sql: string, name = '9000_test.sql'): Promise<Finding[]> {
  return lintMigration({ name, sql, ...readHeader(name, sql) });
}

async function rulesOf(sql: string): Promise<string[]> {
  return (await lint(sql)).map(({ rule }) => rule);
}

async function controlOf(sql: string): Promise<{ subject: string; line: number }[]> {
  const found = (await lint(sql)).filter(({ rule }) => rule === 'transaction-control');
  return found.map(({ subject, line }) => ({ subject, line }));
}

const STEPS = '-- hx: mode=steps\n';
const MADE = "create table n (a bigint); select hx.guard_table('n'); ";

/** For each rule: what breaks it, with nothing else at fault, and the safe ways, with nothing at fault at all. */
const CASES: Readonly<
  Record<RuleName, { readonly unsafe: readonly string[]; readonly safe: readonly string[] }>
> = {
  'add-check-without-not-valid': {
    unsafe: ['alter table t add check (a > 0)', 'alter table t add column a integer check (a > 0)'],
    safe: [
      'alter table t add constraint c check (a > 0) not valid',
      'alter table t validate constraint c',
      `${MADE}alter table n add check (a > 0)`,
    ],
  },
  'add-column-not-null-without-default': {
    unsafe: ['alter table t add column a integer not null'],
    safe: ['alter table t add column a integer not null default 0', 'alter table t add column a integer'],
  },
  'add-column-volatile-default': {
    unsafe: [
      'alter table t add column a uuid default gen_random_uuid()',
      'alter table t add column a uuid not null default (gen_random_uuid())',
      'alter table t add column a bigint generated always as identity',
      'alter table t add column a integer generated always as (b + 1) stored',
    ],
    safe: [
      'alter table t add column a timestamptz not null default now()',
      "alter table t add column a jsonb not null default '{}'",
      'alter table t add column a uuid; alter table t alter column a set default gen_random_uuid()',
    ],
  },
  'add-exclusion-constraint': {
    unsafe: ['alter table t add exclude using gist (a with =)'],
    safe: [`${MADE}alter table n add exclude using gist (a with =)`],
  },
  'add-foreign-key-without-not-valid': {
    unsafe: [
      'alter table t add foreign key (a) references b',
      'alter table t add column a integer default 1 references b',
    ],
    safe: [
      'alter table t add foreign key (a) references b not valid',
      'alter table t add column a integer references b',
      "create table n (a bigint references b); select hx.guard_table('n')",
    ],
  },
  'add-index-constraint': {
    unsafe: [
      'alter table t add unique (a)',
      'alter table t add primary key (a)',
      'alter table t add column a bigint unique',
    ],
    safe: ['alter table t add constraint c unique using index i', `${MADE}alter table n add unique (a)`],
  },
  'alter-column-type': {
    unsafe: [
      'alter table t alter column a type bigint',
      'alter table t alter a set data type text using a::text',
    ],
    safe: ['alter table t add column a2 bigint', `${MADE}alter table n alter column a type text`],
  },
  'backfill-under-lock': {
    unsafe: [
      'alter table t add column a integer; update t set a = 1 where b',
      'alter table t add column a integer; with c as (delete from t where b returning 1) select * from c',
    ],
    safe: [
      `${STEPS}alter table t add column a integer; update t set a = 1 where b`,
      'update t set a = 1 where b',
      'alter table u add column a integer; update t set a = 1 where b',
    ],
  },
  'concurrently-if-not-exists': {
    unsafe: [`${STEPS}create index concurrently if not exists i on t (a)`],
    safe: [`${STEPS}create index concurrently i on t (a)`, `${STEPS}drop index concurrently if exists i`],
  },
  'create-extension': {
    unsafe: ['create extension if not exists pg_trgm'],
    safe: ["comment on table t is 'x'"],
  },
  'create-index-not-concurrently': {
    unsafe: [
      'create index i on t (a)',
      'create unique index on public.t (a)',
      `${STEPS}create index i on t (a)`,
    ],
    safe: [
      `${STEPS}create index concurrently i on t (a)`,
      `${MADE}create index i on n (a)`,
      `${MADE}create index i on public.n (a)`,
    ],
  },
  'drop-cascade': {
    unsafe: ['drop function f() cascade', 'alter table t drop constraint c cascade', 'drop type y cascade'],
    safe: ['drop function f()', 'alter table t drop constraint c restrict'],
  },
  'drop-column': {
    unsafe: ['alter table t drop column a', 'alter table t\n  drop a'],
    safe: [`${MADE}alter table n drop column a`, 'alter table t alter column a drop default'],
  },
  'drop-index-not-concurrently': {
    unsafe: ['drop index i', `${STEPS}drop index if exists i`],
    safe: [`${STEPS}drop index concurrently i`],
  },
  'drop-table': {
    unsafe: ['drop table t', 'drop table if exists public.t', 'drop view v', 'drop schema s'],
    safe: [`${MADE}drop table n`, 'drop function f()'],
  },
  'grant-to-public': {
    unsafe: [
      'grant select on t to public',
      'grant select on t to hx_app, public',
      'alter default privileges grant select on tables to public',
    ],
    safe: ['grant select on t to hx_app', 'revoke all on t from public'],
  },
  'hidden-in-do-block': {
    unsafe: [
      'do $$ begin alter table t add column a integer; end $$',
      "do $$ begin execute 'select 1'; end $$",
    ],
    safe: [
      "do $$ begin /* drop */ raise notice 'update me'; -- alter\n end $$",
      'create function f() returns trigger language plpgsql as $$ begin delete from t; return null; end $$',
    ],
  },
  'integer-primary-key': {
    unsafe: [
      "create table n (a integer primary key); select hx.guard_table('n')",
      "create table n (a smallint, primary key (a)); select hx.guard_table('n')",
    ],
    safe: [
      "create table n (a bigint generated always as identity primary key); select hx.guard_table('n')",
      "create table n (a uuid, b integer, primary key (a, b)); select hx.guard_table('n')",
    ],
  },
  'json-column': {
    unsafe: ['alter table t add column a json', "create table n (a json[]); select hx.guard_table('n')"],
    safe: ['alter table t add column a jsonb', 'alter table t add column a my.json'],
  },
  'lock-table': { unsafe: ['lock table t', 'lock t in share mode'], safe: [`${MADE}lock table n`] },
  'missing-guard': {
    unsafe: [
      'create table n (a bigint)',
      'create table public.n (a bigint)',
      "create table n (a bigint); select hx.guard_table('m')",
      'create table n as select 1',
      'create table n (a bigint); select guard_table($$n$$)',
    ],
    safe: [
      MADE,
      "create table public.n (a bigint); select hx.guard_table('n'::regclass)",
      "create table n (a bigint); select hx.guard_table('public.n')",
      'create table hx.n (a bigint)',
      'create temporary table n (a bigint)',
    ],
  },
  'refresh-not-concurrently': {
    unsafe: ['refresh materialized view v'],
    safe: [
      'refresh materialized view concurrently v',
      'create materialized view v as select 1; refresh materialized view v',
    ],
  },
  'refused-in-transaction': {
    unsafe: [
      'create index concurrently i on t (a)',
      'drop index concurrently i',
      'reindex (concurrently) table t',
      'vacuum t',
      'alter table t detach partition p concurrently',
    ],
    safe: [`${STEPS}create index concurrently i on t (a)`, `${STEPS}vacuum t`, 'analyze t'],
  },
  'reindex-not-concurrently': {
    unsafe: ['reindex table t', 'reindex (verbose) index i', `${STEPS}reindex schema public`],
    safe: [`${STEPS}reindex table concurrently t`, `${STEPS}reindex (concurrently) index i`],
  },
  'rename-column': {
    unsafe: ['alter table t rename column a to b'],
    safe: [`${MADE}alter table n rename column a to b`, 'alter table t rename constraint a to b'],
  },
  'rename-table': {
    unsafe: ['alter table t rename to u', 'alter table t set schema hx'],
    safe: [`${MADE}alter table n rename to m`, 'alter index i rename to j'],
  },
  'rewrite-table': {
    unsafe: ['cluster t', `${STEPS}vacuum (full, analyze) t`, 'alter table t set unlogged'],
    safe: [`${STEPS}vacuum (analyze) t`, 'alter table t set (fillfactor = 80)'],
  },
  'serial-column': {
    unsafe: [
      "create table n (a bigserial); select hx.guard_table('n')",
      "create table n (a serial8 primary key); select hx.guard_table('n')",
    ],
    safe: ["create table n (a bigint generated always as identity); select hx.guard_table('n')"],
  },
  'session-setting': {
    unsafe: [
      'set role hx_owner',
      'set local role hx_owner',
      'set session authorization hx_owner',
      "set lock_timeout = '1s'",
      'reset all',
      'discard all',
      "select set_config('a.b', '1', false)",
      `${STEPS}set local work_mem = '1GB'`,
    ],
    safe: [
      "set local work_mem = '1GB'",
      "select set_config('a.b', '1', true)",
      '-- hx: lock_timeout=1s\nselect 1',
    ],
  },
  'set-not-null-without-check': {
    unsafe: [
      'alter table t alter column a set not null',
      'alter table u validate constraint c; alter table t alter column a set not null',
    ],
    safe: [
      'alter table t validate constraint c; alter table t alter column a set not null',
      `${MADE}alter table n alter column a set not null`,
    ],
  },
  'timestamp-without-time-zone': {
    unsafe: [
      'alter table t add column a timestamp',
      'alter table t add column a timestamp(3) without time zone',
    ],
    safe: ['alter table t add column a timestamptz', 'alter table t add column a timestamp with time zone'],
  },
  'transaction-control': {
    unsafe: ['commit', `${STEPS}begin`, 'do $$ begin commit; end $$', `${STEPS}savepoint a`],
    safe: ['select 1', "do $$ begin raise notice 'commit;'; end $$"],
  },
  truncate: { unsafe: ['truncate t', `${MADE}truncate n, t`], safe: [`${MADE}truncate n`] },
  'update-without-where': {
    unsafe: ['update t set a = 1', 'delete from t', 'with c as (delete from t returning 1) select * from c'],
    safe: [
      'update t set a = 1 where a is null',
      `${MADE}update n set a = 1`,
      'create function f() returns integer begin atomic update t set a = 1; select 1; end',
    ],
  },
  'validate-under-lock': {
    unsafe: [
      'alter table t add constraint c check (a > 0) not valid; alter table t validate constraint c',
      'alter table t add constraint c check (a > 0) not valid, validate constraint c',
    ],
    safe: [
      `${STEPS}alter table t add constraint c check (a > 0) not valid; alter table t validate constraint c`,
      'alter table t validate constraint c',
      'alter table u add constraint c check (a > 0) not valid; alter table t validate constraint c',
    ],
  },
  'weaken-guard': {
    unsafe: [
      'alter table t disable trigger all',
      'alter table t disable trigger hx_guard_update',
      'alter table t enable trigger hx_guard_update',
      'drop trigger hx_append_only on t',
      'drop function hx.guard_row()',
    ],
    safe: ['alter table t enable always trigger hx_guard_update', 'drop trigger own on t'],
  },
};

for (const name of RULE_NAMES) {
  test(`${name}: found where it is, and not in the safe way`, async () => {
    const { unsafe, safe } = CASES[name];
    for (const sql of unsafe) {
      const rules = await rulesOf(sql);
      assert.ok(rules.includes(name), `${sql}\n${rules}`);
      assert.equal(
        rules.filter((rule) => rule !== name && !MAY_ACCOMPANY.has(`${name} ${rule}`)),
        [],
        sql,
      );
    }
    for (const sql of safe) assert.equal(await rulesOf(sql), [], sql);
    if (RULES[name].isWaivable === false) return;
    for (const sql of unsafe) {
      const waived = await rulesOf(`-- hx: allow=${name} reason=a test\n${sql}`);
      assert.not.ok(waived.includes(name) || waived.includes('unused-waiver'), `${sql}\n${waived}`);
    }
  });
}

/** Where a statement breaks a second rule by its nature. */
const MAY_ACCOMPANY: ReadonlySet<string> = new Set([
  'serial-column integer-primary-key',
  'rewrite-table refused-in-transaction',
  'hidden-in-do-block drop-table',
]);

test('every rule is filed under its own name and says what happens and what to do', () => {
  for (const name of RULE_NAMES) {
    const { name: own, finds, danger, safe } = RULES[name];
    assert.is(own, name);
    for (const text of [danger, safe]) assert.match(text, /^\S.*[.;)]$/, name);
    assert.ok(finds.length > 0);
  }
  assert.equal([...RULE_NAMES], [...RULE_NAMES].sort());
});

test('the migrations of hx have nothing unsafe that is not waived with a reason', async () => {
  for (const migration of readMigrations(migrationsFolder())) {
    assert.equal(await lintMigration(migration), [], migration.name);
  }
});

test('a finding says where, in what, what happens and how to do it instead', async () => {
  const [finding, ...others] = await lint(
    '-- é\nselect 1;\nalter table t\n  add column b integer,\n  add column a json;',
  );
  assert.equal(others, []);
  assert.equal(finding, {
    rule: 'json-column',
    file: '9000_test.sql',
    line: 5,
    subject: 't.a',
    danger: RULES['json-column'].danger,
    safe: RULES['json-column'].safe,
    isWaivable: true,
  });
});

test('a waiver that waives nothing is a finding, and so is one of a rule that cannot be waived', async () => {
  const [unused] = await lint('-- A.\n-- hx: allow=truncate reason=none\nselect 1');
  assert.equal([unused?.rule, unused?.line, unused?.subject], ['unused-waiver', 2, 'truncate']);
  assert.equal(await rulesOf('-- hx: allow=transaction-control reason=none\ncommit'), [
    'unused-waiver',
    'transaction-control',
  ]);
});

test('every statement of transaction control is found, wherever it stands, with its line', async () => {
  for (const [sql, keyword, line] of [
    ['commit', 'commit', 1],
    ['select 1;\n\n  COMMIT AND CHAIN;', 'commit', 3],
    ['select 1;/* a /* nested */ comment */begin', 'begin', 1],
    ['-- begin\nstart transaction', 'start', 2],
    ['end;', 'end', 1],
    ['rollback to savepoint a', 'rollback', 1],
    ['abort;', 'abort', 1],
    ['release a', 'release', 1],
    ["prepare transaction 'a'", 'prepare', 1],
    ["select E'\\'; commit; --';savepoint a", 'savepoint', 1],
    ["select e'it''s \\\\'; commit", 'commit', 1],
    ["select '\\'; commit; select ''", 'commit', 1],
    ['select $$;$$, $a$ $$; begin; $a$; commit', 'commit', 1],
    ['select a$$b; commit; select c$$d', 'commit', 1],
    [
      'create function f() returns integer begin atomic select case 1 when 1 then 2 end; end; commit',
      'commit',
      1,
    ],
    ['create table t (a integer check (a > 0)); commit', 'commit', 1],
  ] as const) {
    assert.equal(await controlOf(sql), [{ subject: keyword.toUpperCase(), line }], sql);
  }
});

test('nothing else is taken for transaction control', async () => {
  for (const sql of [
    '',
    '-- commit;\n/* ; commit; /* ; */ ; rollback */',
    "select '; commit;', 'it''s; commit', \"; commit\"\"; commit\"",
    "select E'\\'; commit; \\\\', 'a\\'",
    'do $$ begin perform 1; end $$',
    'create function f() returns trigger language plpgsql as $body$ begin return $$;commit;$$; end; $body$',
    'create function f() returns integer begin atomic select 1; select case when true then 2 end; end; select 1',
    'create or replace procedure p() language sql begin atomic insert into t values (1); end',
    'create rule r as on insert to t do also (insert into a values (1); delete from b);',
    'prepare transaction_count as select 1; select "commit", begin_at, t.end from t',
    "set transaction isolation level serializable; comment on table t is 'a; commit'",
    'select $1; select $$; commit; $$',
  ]) {
    assert.equal(await controlOf(sql), [], sql);
  }
});

test.run();
