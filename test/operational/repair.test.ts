import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { applyMigrations } from '../../src/operational/schema/apply.js';
import { baselineMigrations } from '../../src/operational/schema/baseline.js';
import { readLedger } from '../../src/operational/schema/ledger.js';
import { type RepairOptions, repairMigrations } from '../../src/operational/schema/repair.js';
import { createTestDatabase, fails, removeFolder, runHx, type TestDatabase } from '../helpers.js';
import { addMigration, copyMigrations, migrateOptions } from './migrations.js';

const test = suite('repair and baseline');
let database: TestDatabase;
let folder: string;

test.before.each(async () => {
  database = await createTestDatabase({ empty: true });
  folder = copyMigrations();
  await applyMigrations(migrateOptions(database, folder));
});
test.after.each(async () => {
  await database.drop();
  removeFolder(folder);
});

const repair = (changes: Partial<RepairOptions> = {}) =>
  repairMigrations({ ...migrateOptions(database, folder), ...changes });
const baseline = (to: number) => baselineMigrations({ ...migrateOptions(database, folder), to });

async function events(): Promise<string[]> {
  const rows = await database.sql`select kind from hx.migration_event order by event_id`;
  return rows.map(({ kind }) => kind);
}

test('a comment that changed since is accepted once', async () => {
  addMigration(folder, '9000_a.sql', '-- One.\nselect 1;');
  await applyMigrations(migrateOptions(database, folder));
  addMigration(folder, '9000_a.sql', '-- Another.\nselect 1;');
  const { repaired, left } = await repair();
  assert.match(repaired.join(), /^9000_a\.sql: its comments changed/);
  assert.equal(left, []);
  assert.is((await events()).at(-1), 'repaired');
  assert.equal(await repair(), { repaired: [], left: [] });
});

test('INVALID indexes are rebuilt, and one that cannot be is left with the reason', async () => {
  await database.sql`create table tags (label text)`;
  await database.sql`alter table tags owner to hx_owner`;
  await database.sql`insert into tags values ('a'), ('a')`;
  await database.sql`create unique index concurrently tags_label_idx on tags (label)`.catch(() => undefined);
  const first = await repair();
  assert.match(
    first.left[0]?.what ?? '',
    /public\.tags_label_idx is INVALID and cannot be rebuilt: could not/,
  );
  // What that attempt itself left behind goes with the next one.
  await database.sql`delete from tags where ctid = (select min(ctid) from tags)`;
  const second = await repair();
  assert.equal(second.left, []);
  assert.match(second.repaired.join('\n'), /The INVALID index public\.tags_label_idx is rebuilt/);
  const [row] = await database.sql`select count(*)::integer as invalid from pg_index where not indisvalid`;
  assert.is(row?.['invalid'], 0);
});

test('a step that nobody can tell about is decided by a person', async () => {
  addMigration(
    folder,
    '9000_call.sql',
    `-- hx: mode=steps
create procedure fill() language plpgsql as 'begin commit; end';
call fill();
comment on procedure fill() is 'filled';
`,
  );
  const pretendDeath = async () => {
    await database.sql`delete from hx.migration where number = 9000`;
    await database.sql`delete from hx.migration_step where number = 9000 and step > 2`;
    await database.sql`update hx.migration_step set finished_at = null where number = 9000 and step = 2`;
  };
  await applyMigrations(migrateOptions(database, folder));
  await fails(repair({ step: 'done' }), 'usage', /nothing to decide/);
  for (const step of ['done', 'again'] as const) {
    await pretendDeath();
    assert.match(
      (await repair()).left[0]?.what ?? '',
      /Step 2 of 9000_call\.sql was begun and not finished: call/,
    );
    const { repaired, left } = await repair({ step });
    assert.match(repaired.join(), step === 'done' ? /counts as done/ : /will run again/);
    assert.equal(left, []);
    assert.is((await applyMigrations(migrateOptions(database, folder))).length, 1);
  }
});

test('a baseline writes what the migrations would have, and only for their schema', async () => {
  const before = (await readLedger(database.sql)).map(
    ({ appliedAt: _at, elapsedMs: _ms, ...entry }) => entry,
  );
  const last = before.at(-1)?.number ?? 0;
  await fails(baseline(last - 1), 'conflict', /so the schema cannot be that of migration/);
  await database.sql`delete from hx.migration`;
  await database.sql`create index by_hand on checks (model)`;
  await fails(
    baseline(last),
    'refused',
    new RegExp(`not have the schema of migration ${last}: extra index by_hand\\.$`),
    /hx migrate diff --env local --against files/,
  );
  assert.is((await readLedger(database.sql)).length, 0);
  await database.sql`drop index by_hand`;
  assert.is((await baseline(last)).length, before.length);
  const after = (await readLedger(database.sql)).map(({ appliedAt: _at, elapsedMs: _ms, ...entry }) => entry);
  assert.equal(after, before);
  assert.is((await events()).filter((kind) => kind === 'baselined').length, before.length);
  assert.equal(await baseline(last), []);
  assert.equal(await applyMigrations(migrateOptions(database, folder)), []);
});

test('hx migrate repair and baseline, as commands', async () => {
  const env = database.variables;
  assert.is((await runHx(['migrate', 'repair'], { env })).stdout, 'local: nothing to repair\n');
  await database.sql`create table tags (label text)`;
  await database.sql`alter table tags owner to hx_owner`;
  await database.sql`insert into tags values ('a'), ('a')`;
  await database.sql`create unique index concurrently tags_label_idx on tags (label)`.catch(() => undefined);
  const left = await runHx(['migrate', 'repair', '--json'], { env });
  assert.is(left.exitCode, 1);
  assert.is(JSON.parse(left.stdout).left.length, 1);
  assert.is((await runHx(['migrate', 'repair', '--step', 'maybe'], { env })).exitCode, 2);
  const unasked = await runHx(['migrate', 'baseline', '--to', '3'], { env });
  assert.is(unasked.exitCode, 2);
  assert.match(unasked.stderr, /--to 3 --yes/);
});

test.run();
