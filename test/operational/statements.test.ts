import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HxError } from '../../src/base/errors.js';
import { migrationsFolder, readMigrationFiles } from '../../src/operational/schema/files.js';
import { parseStatements, semanticHash } from '../../src/operational/schema/statements.js';

const test = suite('the statements of a file');

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

test('our migrations, put together again with any gaps between their statements, keep their semantic hash', async () => {
  const gap = fc.stringMatching(/^(\s|--[ -~]*\n|\/\*[ a-z;'$"]*\*\/){0,4}$/);
  const files = await Promise.all(
    readMigrationFiles(migrationsFolder()).map(async ({ name, sql }) => ({
      texts: (await parseStatements(name, sql)).map(({ text }) => text),
      hash: await semanticHash(name, sql),
    })),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...files),
      fc.array(gap, { minLength: 1 }),
      async ({ texts, hash }, gaps) => {
        const sql = texts.map((text, index) => `${gaps[index % gaps.length]}${text}${gaps.at(-1)};`).join('');
        assert.is(await semanticHash('again.sql', sql), hash);
        const again = await parseStatements('again.sql', sql);
        for (const [index, { text }] of again.entries())
          assert.ok(text.startsWith(texts[index] ?? '?'), text);
        const lines = sql.split('\n');
        for (const { text, line } of again)
          assert.ok(lines[line - 1]?.includes(text.split('\n')[0] ?? '?'), text);
      },
    ),
    { numRuns: 60 },
  );
});

test.run();
