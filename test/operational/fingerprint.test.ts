import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { renderDifference } from '../../src/cli/render/schema-difference.js';
import { plain } from '../../src/cli/render/style.js';
import { diffFingerprints, type SchemaDifference } from '../../src/operational/schema/fingerprint/diff.js';
import { readFingerprint } from '../../src/operational/schema/fingerprint/read.js';
import { createTestDatabase, runHx, type TestDatabase } from '../helpers.js';
import { CHANGES } from './fingerprint-changes.js';

const test = suite('fingerprint');
let database: TestDatabase;

test.before(async () => {
  database = await createTestDatabase();
});
test.after(async () => {
  await database.drop();
});

test('two databases made by the same migrations are equal, whatever data they hold', async () => {
  const other = await createTestDatabase({ environment: 'production' });
  const [one, two] = [await readFingerprint(database.sql), await readFingerprint(other.sql)];
  await other.drop();
  assert.equal(one, two);
  assert.ok(one.objects.some(({ kind, name }) => kind === 'column' && name === 'checks.claim'));
});

test('a transaction reads what it has changed itself, and keeps its settings', async () => {
  const before = await readFingerprint(database.sql);
  await database.sql.begin(async (sql) => {
    await sql`select set_config('search_path', 'hx', true)`;
    assert.is((await readFingerprint(sql)).hash, before.hash);
    await sql`create table public.later (id integer)`;
    const inside = await readFingerprint(sql);
    const added = inside.objects.filter(({ name }) => !before.objects.some((object) => object.name === name));
    assert.equal(
      added.map(({ kind, name }) => `${kind} ${name}`),
      ['column later.id', 'table later'],
    );
    const [row] = await sql`select current_setting('search_path') as path`;
    assert.is(row?.['path'], 'hx');
    await sql`drop table public.later`;
  });
  assert.is((await readFingerprint(database.sql)).hash, before.hash);
});

test('columns that were dropped and the names of logins leave no trace', async () => {
  const [one, two] = [await createTestDatabase({ empty: true }), await createTestDatabase({ empty: true })];
  await one.sql.unsafe('create table things (id integer, name text)');
  await two.sql.unsafe(`
    create role somebody_else superuser;
    set role somebody_else;
    create table things (gone text, id integer, also_gone text);
    alter table things drop column gone, drop column also_gone, add column name text;
    alter default privileges grant select on tables to somebody_else;
    grant select on things to somebody_else`);
  const [first, second] = [await readFingerprint(one.sql), await readFingerprint(two.sql)];
  await two.sql.unsafe('reset role; drop owned by somebody_else; drop role somebody_else');
  await one.drop();
  await two.drop();
  assert.equal(diffFingerprints(first, second), []);
  assert.is(first.hash, second.hash);
});

test('hx migrate diff compares with the replayed files and with another environment', async () => {
  const local = await createTestDatabase({ empty: true });
  const development = await createTestDatabase({ empty: true, environment: 'development' });
  const env = { ...development.variables, ...local.variables };
  assert.is((await runHx(['migrate'], { env })).exitCode, 0);
  assert.is((await runHx(['migrate', 'diff'], { env })).exitCode, 0);
  await local.sql.unsafe(
    `update pg_index set indisvalid = false where indexrelid = 'requests_user_id_idx'::regclass`,
  );
  const { exitCode, stdout } = await runHx(['migrate', 'diff'], { env });
  assert.is(stdout, 'changed  index requests_user_id_idx  valid: true -> false\n');
  assert.is(exitCode, 1);
  const { stdout: json } = await runHx(['migrate', 'diff', '--env', 'neon-dev', '--json'], { env });
  const { against, equal, differences } = JSON.parse(json);
  assert.equal([against, equal], ['local', false]);
  assert.ok(
    differences.some(({ change, name }: SchemaDifference) => change === 'missing' && name === 'checks'),
  );
  const [left] =
    await local.sql`select count(*)::integer as n from pg_database where datname like 'hx_scratch%'`;
  assert.is(left?.['n'], 0);
  assert.is((await runHx(['migrate', 'diff', '--against', 'local'], { env })).exitCode, 2);
  await local.drop();
  await development.drop();
});

test('one change of any kind is named, and nothing but it', async () => {
  const { sql, drop } = await createTestDatabase();
  await sql.unsafe(readFileSync(new URL('furniture.sql', import.meta.url), 'utf8'));
  const before = await readFingerprint(sql);
  const undo = new Error('undo');
  for (const [change, line] of CHANGES) {
    let lines: string[] = [];
    await sql
      .begin(async (transaction) => {
        await transaction.unsafe(change);
        const differences = diffFingerprints(before, await readFingerprint(transaction));
        lines = differences.map((difference) => renderDifference(difference, plain));
        throw undo;
      })
      .catch((error: unknown) => {
        if (error !== undo) throw new Error(change, { cause: error });
      });
    assert.equal(lines, [line], change);
  }
  assert.is((await readFingerprint(sql)).hash, before.hash);
  await drop();
});

test.run();
