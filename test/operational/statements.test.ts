import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HxError } from '../../src/base/errors.js';
import {
  findTransactionControl,
  parseStatements,
  semanticHash,
  type TransactionControl,
} from '../../src/operational/schema/statements.js';

const test = suite('the statements of a file');

async function controlOf(sql: string): Promise<TransactionControl | undefined> {
  return findTransactionControl(await parseStatements('file.sql', sql));
}

test('each statement comes with its text and its line, whatever stands between', async () => {
  const statements = await parseStatements(
    'file.sql',
    "-- Größe 'é'\n\nselect 'é' ; /* a /* nested; */\n */ -- x\n  drop table\n a;;\nselect $$;$$",
  );
  assert.equal(
    statements.map(({ text, line }) => [line, text]),
    [
      [3, "select 'é'"],
      [5, 'drop table\n a'],
      [7, 'select $$;$$'],
    ],
  );
  assert.equal(await parseStatements('file.sql', ''), []);
  assert.equal(await parseStatements('file.sql', '-- nothing\n'), []);
});

test('a syntax error names file, line, column and word', async () => {
  for (const [sql, message] of [
    ["select 'é';\n\n  selec 2;", 'file.sql:3:3: syntax error at or near "selec"'],
    ["select 1;\nselect '😀', from x", 'file.sql:2:13: syntax error at or near "from"'],
    ["select 'open", 'file.sql:1:8: unterminated quoted string at or near "\'open"'],
    ['create table (', 'file.sql:1:14: syntax error at or near "("'],
  ] as const) {
    try {
      await parseStatements('file.sql', sql);
      assert.unreachable(sql);
    } catch (error) {
      assert.ok(error instanceof HxError, String(error));
      assert.is(error.code, 'conflict');
      assert.is(error.message, message);
    }
  }
});

test('the semantic hash looks past comments, white space and case, and at nothing else', async () => {
  const hash = (sql: string) => semanticHash('file.sql', sql);
  const base = "create table t (a integer not null default 1, b text);\nselect f(a) from t where b = 'x';";
  const same = [
    `-- hx: mode=steps\n${base}`,
    'CREATE  TABLE t\n(a INTEGER NOT NULL DEFAULT 1, "b" text) ; /* c */ select f(a) from t\nwhere b = \'x\'',
    base.replaceAll(' ', '\n'),
    base.replaceAll(' ', ' /* ; */ '),
  ];
  for (const sql of same) assert.is(await hash(sql), await hash(base), sql);
  for (const [part, instead] of [
    ['integer', 'bigint'],
    ['not null', 'null'],
    ['default 1', 'default 2'],
    ['b text', 'c text'],
    ['f(a)', 'g(a)'],
    ["'x'", "'X'"],
    ['from t', 'from u'],
    [base, `${base} select 1`],
  ] as const) {
    assert.is.not(await hash(base.replace(part, instead)), await hash(base), part);
  }
  assert.is.not(await hash('do $$ begin null; end $$'), await hash('do $$ begin  null; end $$'));
});

test('every statement of the kind is found, wherever it stands, with its line', async () => {
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
    assert.equal(await controlOf(sql), { keyword: keyword.toUpperCase(), line }, sql);
  }
});

test('nothing else is taken for one', async () => {
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
    assert.is(await controlOf(sql), undefined, sql);
  }
});

test.run();
