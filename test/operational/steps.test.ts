import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { applyMigrations } from '../../src/operational/schema/apply.js';
import { readLedger } from '../../src/operational/schema/ledger.js';
import { connectTo } from '../database.js';
import { createTestDatabase, fails, removeFolder, type TestDatabase } from '../helpers.js';
import { addMigration, copyMigrations, migrateOptions } from './migrations.js';

const test = suite('migrations in steps');
let database: TestDatabase;
let folder: string;

test.before.each(async () => {
  database = await createTestDatabase();
  folder = copyMigrations();
});
test.after.each(async () => {
  await database.drop();
  removeFolder(folder);
});

const STEPS = `-- Adds an index beside the traffic.
-- hx: mode=steps

create table tags (id bigint generated always as identity primary key, label text not null);
insert into tags (label) values ('a'), ('b');
create unique index concurrently tags_label_idx on tags (label);
comment on index tags_label_idx is 'built';
`;

function apply(notes: string[] = []) {
  return applyMigrations(migrateOptions(database, folder, notes));
}

/** As if the migrator had died: the migration has not ended, nor has its step. */
async function pretendDeath(step: number): Promise<void> {
  await database.sql`delete from hx.migration where number = 9000`;
  await database.sql`delete from hx.migration_step where number = 9000 and step > ${step}`;
  await database.sql`update hx.migration_step set finished_at = null where number = 9000 and step = ${step}`;
}

async function indexState(): Promise<unknown> {
  const [row] = await database.sql`
    select indisvalid as valid from pg_index where indexrelid = to_regclass('tags_label_idx')`;
  return row?.['valid'];
}

test('every step is written down, and the ledger knows hashes and fingerprints', async () => {
  addMigration(folder, '9000_steps.sql', STEPS);
  await database.drop();
  database = await createTestDatabase({ empty: true });
  assert.equal(
    (await apply()).slice(-1).map(({ name }) => name),
    ['9000_steps.sql'],
  );
  const steps = await database.sql`
    select step, left(statement, 12) as begins, finished_at >= started_at as finished
    from hx.migration_step where number = 9000 order by step`;
  assert.equal(
    steps.map((row) => ({ ...row })),
    ['create table', 'insert into ', 'create uniqu', 'comment on i'].map((begins, index) => ({
      step: index + 1,
      begins,
      finished: true,
    })),
  );
  const ledger = await readLedger(database.sql);
  for (const [index, entry] of ledger.entries()) {
    assert.match(entry.semanticHash ?? '', /^[0-9a-f]{64}$/);
    assert.is(entry.mode, entry.number === 9000 ? 'steps' : 'tx');
    const previous = ledger[index - 1];
    if (previous !== undefined) assert.is(entry.fingerprintBefore, previous.fingerprintAfter, entry.name);
  }
});

test('an index left INVALID is dropped and built again, and the steps before it do not run twice', async () => {
  addMigration(folder, '9000_steps.sql', STEPS.replace("('b')", "('a')"));
  await fails(apply(), 'failed', /^9000_steps\.sql, line 6: .*could not create unique index/, /1 to 2, stay/);
  assert.is(await indexState(), false);
  await fails(apply(), 'failed', /could not create unique index/);
  await database.sql`delete from tags where id = 2`;
  const notes: string[] = [];
  await apply(notes);
  assert.is(await indexState(), true);
  assert.match(notes.join('\n'), /going on after step 2 of 4/);
  assert.match(notes.join('\n'), /step 3: The index public\.tags_label_idx was left INVALID/);
  const [row] = await database.sql`select count(*)::integer as rows from tags`;
  assert.is(row?.['rows'], 1);
});

test('an index that was built before the migrator died counts, and one that was not is built', async () => {
  addMigration(folder, '9000_steps.sql', STEPS);
  await apply();
  const [before] = await database.sql`select 'tags_label_idx'::regclass::oid as oid`;
  await pretendDeath(3);
  await apply();
  const [after] = await database.sql`select 'tags_label_idx'::regclass::oid as oid`;
  assert.is(after?.['oid'], before?.['oid']);
  await pretendDeath(3);
  await database.sql`drop index tags_label_idx`;
  await apply();
  assert.is(await indexState(), true);
});

test('other steps without a transaction are told apart by what they leave', async () => {
  const sql = `-- hx: mode=steps
create table a (id integer primary key, note text); create index a_note_idx on a (note);
create table p (id integer) partition by range (id);
create table p1 partition of p for values from (1) to (2);
drop index concurrently a_note_idx;
reindex table concurrently a;
vacuum a;
alter table p detach partition p1 concurrently;
`;
  const attach = () => database.sql`alter table p attach partition p1 for values from (1) to (2)`;
  addMigration(folder, '9000_steps.sql', sql);
  await apply();
  for (const step of [5, 6, 7, 8]) {
    await pretendDeath(step);
    if (step < 8) await attach();
    assert.is((await apply()).length, 1, `step ${step}`);
  }
  await pretendDeath(5);
  await attach();
  await database.sql`create index a_note_idx on a (note)`;
  await apply();
  const [row] = await database.sql`select to_regclass('a_note_idx') is null as gone`;
  assert.is(row?.['gone'], true);
});

test('a step whose outcome nobody can tell stops the run, which points to repair', async () => {
  const sql = `-- hx: mode=steps
create table tags (label text);
create procedure fill() language plpgsql as 'begin insert into tags values (1); commit; insert into tags values (2); end';
call fill();
`;
  addMigration(folder, '9000_steps.sql', sql);
  await apply();
  await pretendDeath(3);
  await fails(apply(), 'conflict', /Step 3 of 9000_steps\.sql \(line 4\)/, /repair --step done/);
});

test('a step that ran cannot be edited, and one that failed can', async () => {
  addMigration(folder, '9000_steps.sql', STEPS.replace('(label);', '(labl);'));
  await fails(apply(), 'failed', /line 6: .*"labl"/, /Correct step 3/);
  addMigration(folder, '9000_steps.sql', STEPS.replace("'b'", "'c'"));
  await fails(apply(), 'conflict', /Step 2 of 9000_steps\.sql was edited/);
  addMigration(folder, '9000_steps.sql', `-- Another comment.\n${STEPS}`);
  await apply();
  assert.is(await indexState(), true);
});

test('steps run as their environment and as the owner, and leave no setting to the next migration', async () => {
  addMigration(
    folder,
    '9000_steps.sql',
    `-- hx: mode=steps
create table notes (env text not null);
select hx.guard_table('notes');
insert into notes values ('local');
create index concurrently notes_env_idx on notes (env);
set search_path = hx;
`,
  );
  addMigration(folder, '9001_next.sql', 'create table after_steps ();');
  await apply();
  const rows = await database.sql`
    select relname, pg_get_userbyid(relowner) as owner from pg_class
    where relname in ('notes', 'notes_env_idx', 'after_steps') and relnamespace = 'public'::regnamespace order by 1`;
  assert.equal(
    rows.map(({ relname, owner }) => `${relname} ${owner}`),
    ['after_steps hx_owner', 'notes hx_owner', 'notes_env_idx hx_owner'],
  );
});

test('who holds the table that a migration waits for is named', async () => {
  addMigration(
    folder,
    '9000_alter.sql',
    '-- hx: lock_timeout=900ms\nalter table users add column note text;',
  );
  const holder = connectTo(database.url);
  const notes: string[] = [];
  const { emit, ...rest } = migrateOptions(database, folder, notes);
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let ready: () => void = () => undefined;
  const locked = new Promise<void>((resolve) => {
    ready = resolve;
  });
  const reading = holder.begin(async (sql) => {
    await sql`select set_config('application_name', 'night report', true) from users`;
    await sql`lock table users in access share mode`;
    await sql`select set_config('application_name', 'night report', true)`;
    ready();
    await held;
  });
  try {
    await locked;
    await applyMigrations({
      ...rest,
      emit: (event) => {
        emit(event);
        if (event.type === 'note') release();
      },
    });
    assert.match(notes[0] ?? '', /^9000_alter\.sql waits for a lock of night report \(backend \d+, since /);
  } finally {
    release();
    await reading;
    await holder.end();
  }
});

test.run();
