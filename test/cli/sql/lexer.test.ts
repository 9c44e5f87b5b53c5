import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { splitSql, statementsOf, tokenize } from '../../../src/cli/sql/lexer.js';

const test = suite('sql lexer');

test('splits at semicolons and drops what says nothing', () => {
  assert.equal(statementsOf('select 1; ;-- only a comment\n; select 2'), ['select 1', 'select 2']);
  assert.equal(statementsOf('  -- nothing\n /* here */ ;'), []);
  assert.equal(statementsOf('/* open'), []);
});

test('a semicolon inside quotes, comments and dollar quotes ends nothing', () => {
  for (const sql of [
    "select 'a;b'",
    "select 'it''s;'",
    "select e'it\\';s'",
    'select 1 as "a;""b"',
    'select $$a;b$$',
    'select $tag$a;$$;b$tag$',
    'select 1 -- a;b\n+ 1',
    'select /* a; /* nested; */ b; */ 1',
  ]) {
    assert.equal(statementsOf(`${sql}; select 2`), [sql, 'select 2'], sql);
  }
});

test('a parameter is not a dollar quote', () => {
  assert.equal(statementsOf('select $name; select $other'), ['select $name', 'select $other']);
});

test('tells a finished statement from one that goes on', () => {
  assert.equal(splitSql('select 1;'), { complete: ['select 1'], rest: '', open: false });
  assert.equal(splitSql('select 1'), { complete: [], rest: 'select 1', open: false });
  assert.is(splitSql("select 'a;").open, true);
  assert.is(splitSql('/* a;').open, true);
  assert.is(splitSql('select 1; -- done').rest, '');
});

test('tokens put together are the text, whatever it is', () => {
  const pieces = fc.constantFrom("'", '"', '$', '$$', '/*', '*/', '--', '\n', ';', 'e', '\\', 'a', '1', '😀');
  const property = fc.property(
    fc.array(pieces).map((parts) => parts.join('')),
    (sql) => {
      assert.is(
        tokenize(sql)
          .map(({ text }) => text)
          .join(''),
        sql,
      );
    },
  );
  fc.assert(property, { numRuns: 500 });
});

test.run();
