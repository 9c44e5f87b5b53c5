import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findTransactionControl } from '../../src/operational/schema/statements.js';

const test = suite('transaction control in a file');

test('every statement of the kind is found, wherever it stands, with its line', () => {
  for (const [sql, keyword, line] of [
    ['commit', 'commit', 1],
    ['select 1;\n\n  COMMIT AND CHAIN;', 'commit', 3],
    ['select 1;/* a /* nested */ comment */begin', 'begin', 1],
    ['-- begin\nstart transaction', 'start', 2],
    ['end;', 'end', 1],
    ['rollback to savepoint a', 'rollback', 1],
    ['abort;', 'abort', 1],
    ['release a', 'release', 1],
    ["prepare transaction 'a'", 'prepare transaction', 1],
    ["select E'\\'; commit; --';savepoint a", 'savepoint', 1],
    ["select e'it''s \\\\'; commit", 'commit', 1],
    ["select '\\'; commit; select '", 'commit', 1],
    ['select $$;$$, $a$ $$; begin; $a$; commit', 'commit', 1],
    ['select a$$b; commit; select c$$d', 'commit', 1],
    [
      'create function f() returns integer begin atomic select case 1 when 1 then 2 end; end; commit',
      'commit',
      1,
    ],
    ['create table t (a integer check (a > 0)); commit', 'commit', 1],
  ] as const) {
    assert.equal(findTransactionControl(sql), { keyword, line }, sql);
  }
});

test('nothing else is taken for one', () => {
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
    'select $1; select 1$$; commit; $$',
  ]) {
    assert.is(findTransactionControl(sql), undefined, sql);
  }
});

test.run();
