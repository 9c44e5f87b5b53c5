import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readFingerprint } from '../../src/operational/schema/fingerprint/read.js';
import { createTestDatabase, type TestDatabase } from '../helpers.js';

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

test.run();
