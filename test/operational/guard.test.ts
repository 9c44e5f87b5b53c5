import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HxError, systemCode } from '../../src/base/errors.js';
import { insertCheck } from '../../src/operational/checks.js';
import { type Database, openDatabase } from '../../src/operational/connection.js';
import { claimDatabase } from '../../src/operational/identity.js';
import { applyMigrations, planMigrations } from '../../src/operational/schema/apply.js';
import { createTestDatabase, failureOf, type TestDatabase } from '../helpers.js';
import { checkRow, insertCache, removeIdentity, writeAs } from './fixtures.js';

const test = suite('guard');
let local: TestDatabase;

test.before(async () => {
  local = await createTestDatabase();
});
test.after(() => local.drop());

/** Asserts that the database itself refuses, with its own code and words. */
async function refuses(write: Promise<unknown>, words: RegExp, code = 'HX001'): Promise<void> {
  try {
    await write;
  } catch (error) {
    assert.is(systemCode(error), code, String(error));
    assert.match(String(error), words);
    return;
  }
  assert.unreachable('the write went through');
}

function open({ settings }: TestDatabase): Promise<Database> {
  return openDatabase({ settings, signal: new AbortController().signal, emit: () => undefined });
}

const INSERT_USER = "insert into users (email) values ('someone@example.org')";

test('a session that declared its environment writes', async () => {
  await writeAs(local.sql, 'local', `${INSERT_USER}; delete from users`);
  await writeAs(local.sql, 'local', insertCache('local'));
});

test('a session that declared nothing cannot write, whatever the statement', async () => {
  for (const statement of [
    INSERT_USER,
    "update users set plan = 'pro'",
    'delete from users',
    'truncate users cascade',
  ]) {
    await refuses(writeAs(local.sql, undefined, statement), /did not declare/);
    await refuses(writeAs(local.sql, '', statement), /did not declare/);
  }
});

test('a session of another environment cannot write', async () => {
  for (const statement of [INSERT_USER, 'delete from users', 'truncate users cascade']) {
    await refuses(
      writeAs(local.sql, 'production', statement),
      /for production, but the database is for local/,
    );
  }
});

test('a row of another environment is refused in a session of the right one', async () => {
  await refuses(writeAs(local.sql, 'local', insertCache('production')), /belongs to another environment/);
  await writeAs(local.sql, 'local', insertCache('local'));
  await refuses(
    writeAs(local.sql, 'local', "update result_cache set env = 'development'"),
    /belongs to another environment/,
  );
});

test('replication mode does not switch the guard off', async () => {
  const replica = { session_replication_role: 'replica' };
  await refuses(writeAs(local.sql, undefined, INSERT_USER, replica), /did not declare/);
  await refuses(writeAs(local.sql, 'local', insertCache('production'), replica), /another environment/);
});

test('a declaration ends with its transaction', async () => {
  await local.sql.begin(async (sql) => {
    await sql`select set_config('hx.env', 'local', true)`;
  });
  const [row] = await local.sql`select coalesce(current_setting('hx.env', true), '') as declared`;
  assert.is(row?.['declared'], '');
});

test('every table of ours has the guard, always on, for statements and for rows', async () => {
  const rows = await local.sql<{ name: string; guards: string[] | null }[]>`
    select c.relname as name,
      (select array_agg(t.tgname::text order by t.tgname) from pg_trigger t
        where t.tgrelid = c.oid and t.tgenabled = 'A' and t.tgname like 'hx\_guard\_%') as guards
    from pg_class c where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace`;
  assert.ok(rows.length >= 14);
  for (const { name, guards } of rows) {
    assert.equal(
      guards,
      ['hx_guard_delete', 'hx_guard_insert', 'hx_guard_statement', 'hx_guard_update'],
      name,
    );
  }
});

test('rows that come by way of a parent table are guarded, though no statement names their own table', async () => {
  await writeAs(local.sql, 'local', INSERT_USER);
  for (const statements of [
    `create table parent (like users) partition by range (created_at);
     alter table parent attach partition users default;
     insert into parent values (gen_random_uuid(), 'by-parent@example.org', 'pro', 'active', now(), now())`,
    `create table parent (like users); alter table users inherit parent; update parent set plan = 'pro'`,
    `create table parent (like users); alter table users inherit parent; delete from parent`,
  ]) {
    await refuses(writeAs(local.sql, undefined, statements), /did not declare/);
    await refuses(writeAs(local.sql, 'production', statements), /for production, but/);
  }
  await writeAs(local.sql, 'local', 'delete from users');
});

test('what a session prepared before its database changed hands is refused after it', async () => {
  const own = await createTestDatabase();
  try {
    const write = (email: string) =>
      own.sql.begin(async (sql) => {
        await sql`select set_config('hx.env', 'local', true)`;
        await sql`insert into users (email) values (${email})`;
      });
    // Often enough for the server to keep its plan.
    for (let index = 0; index < 8; index += 1) await write(`${index}@example.org`);
    await own.sql.begin(async (sql) => {
      await sql`select set_config('hx.claim', pg_current_xact_id()::text, true)`;
      await sql`update hx.identity set env = 'development'`;
    });
    await refuses(write('late@example.org'), /for local, but the database is for development/);
    await refuses(writeAs(own.sql, 'development', insertCache('local')), /belongs to another environment/);
  } finally {
    await own.drop();
  }
});

test('an unclaimed copy refuses, and writes once it is claimed', async () => {
  const copy = await createTestDatabase({ claimed: false });
  try {
    await refuses(writeAs(copy.sql, 'local', INSERT_USER), /unclaimed copy/);
    // No session can pretend to be the place where the original lives.
    const pretended = { 'neon.project_id': 'p', 'neon.branch_id': 'b' };
    await refuses(writeAs(copy.sql, 'local', INSERT_USER, pretended), /unclaimed copy/);
    assert.is(await claimDatabase(copy.sql, 'local'), true);
    assert.is(await claimDatabase(copy.sql, 'local'), false);
    await writeAs(copy.sql, 'local', INSERT_USER);
    // A copy by CREATE DATABASE comes without the privileges on the database itself.
    const [owner] =
      await copy.sql`select has_database_privilege('hx_owner', current_database(), 'CREATE') as can`;
    assert.is(owner?.['can'], true);
  } finally {
    await copy.drop();
  }
});

test('only a copy can be claimed for another environment', async () => {
  try {
    await claimDatabase(local.sql, 'production');
    assert.unreachable();
  } catch (error) {
    assert.ok(error instanceof HxError);
    assert.is(error.code, 'refused');
  }
});

test('nobody changes or removes the identity by a plain statement, whatever the session declares', async () => {
  const statements = [
    "update hx.identity set env = 'development'",
    'update hx.identity set binding = hx.binding()',
    "insert into hx.identity (singleton, env, binding) values (true, 'local', 'x') on conflict (singleton) do update set env = 'production'",
    'delete from hx.identity',
    'truncate hx.identity',
  ];
  const words = /identity of a database is changed only by hx db claim/;
  for (const statement of statements) {
    await refuses(writeAs(local.sql, undefined, statement), words, 'HX004');
    const replica = { session_replication_role: 'replica' };
    await refuses(writeAs(local.sql, 'local', statement, replica), words, 'HX004');
    // What an earlier transaction left in the session opens nothing.
    const leftBehind = { 'hx.claim': 'on' };
    await refuses(writeAs(local.sql, 'local', statement, leftBehind), words, 'HX004');
  }
  const [row] = await local.sql`select env, binding = hx.binding() as bound from hx.identity`;
  assert.equal({ ...row }, { env: 'local', bound: true });
});

test('a refused row names both environments as they are called', async () => {
  const write = writeAs(local.sql, 'local', insertCache('production'));
  await refuses(write, /A row of result_cache belongs to another environment than this local database\./);
});

test('a database that lost its identity says so, takes no write, and gets one by a claim that was agreed to', async () => {
  const lost = await createTestDatabase({ environment: 'development' });
  try {
    await removeIdentity(lost.sql);
    await refuses(writeAs(lost.sql, 'development', INSERT_USER), /has no identity/);
    const hint = 'hx db claim --env development --yes';
    for (const work of [
      () => open(lost),
      () => applyMigrations({ ...lost, signal: new AbortController().signal, emit: () => undefined }),
      () => planMigrations({ ...lost, signal: new AbortController().signal, emit: () => undefined }),
    ]) {
      const error = await failureOf(work());
      assert.is(error.code, 'conflict');
      assert.match(error.message, /was migrated, but its identity is missing/);
      assert.match(error.hint ?? '', hint);
    }
    const unasked = await failureOf(claimDatabase(lost.sql, 'development'));
    assert.is(unasked.code, 'usage');
    assert.is(unasked.hint, hint);
    assert.is(await claimDatabase(lost.sql, 'development', true), true);
    await writeAs(lost.sql, 'development', INSERT_USER);
    await (await open(lost)).close();
  } finally {
    await lost.drop();
  }
});

test('rows inherited from another environment can be neither changed nor removed', async () => {
  await writeAs(local.sql, 'local', insertCache('local'));
  const copy = await createTestDatabase({ environment: 'development' });
  try {
    // The template has no rows, so one is put there the way a branch gets it: without the guard.
    await copy.sql.unsafe(
      `alter table result_cache disable trigger user;
       ${insertCache('production')};
       alter table result_cache enable always trigger hx_guard_statement, enable always trigger hx_guard_insert,
       enable always trigger hx_guard_update, enable always trigger hx_guard_delete`,
    );
    await refuses(writeAs(copy.sql, 'development', 'delete from result_cache'), /another environment/);
    await refuses(
      writeAs(copy.sql, 'development', "update result_cache set env = 'development'"),
      /another environment/,
    );
  } finally {
    await copy.drop();
  }
});

test('production refuses simulated checks and takes measured ones', async () => {
  const production = await createTestDatabase({ environment: 'production' });
  const database = await open(production);
  try {
    await database.write((sql) =>
      insertCheck(sql, checkRow('production'), { cacheKey: 'key', requestId: null }),
    );
    const simulated = checkRow('production', { simulated: true });
    await database.write((sql) => insertCheck(sql, simulated, { cacheKey: 'key', requestId: null }));
    assert.unreachable('a simulated check went through');
  } catch (error) {
    assert.ok(error instanceof HxError);
    assert.is(error.code, 'refused');
    assert.match(error.message, /does not store simulated/);
  } finally {
    await database.close();
    await production.drop();
  }
});

test('calls of models are never changed or removed either, though no column of theirs is erasable', async () => {
  const { sql } = local;
  const hash = 'a'.repeat(64);
  const attempt = `insert into attempts
      (attempt_id, run_id, env, sample_key, template_id, replicate, ordinal, status, prob_true, started_at, latency_ms)
    values (gen_random_uuid(), gen_random_uuid(), 'local', '${hash}', 't', 0, 1, 'valid', 0.5, now(), 1)`;
  const readout = `insert into readouts
      (readout_id, run_id, env, readout_key, template_id, ordinal, status, prob_true, temperature, started_at, latency_ms)
    values (gen_random_uuid(), gen_random_uuid(), 'local', '${hash}', 't', 1, 'valid', 0.5, 0, now(), 1)`;
  await writeAs(sql, 'local', attempt);
  await writeAs(sql, 'local', readout);
  for (const table of ['attempts', 'readouts']) {
    for (const statement of [
      `update ${table} set prob_true = 0.9`,
      `update ${table} set answer_text = null, problem = 'changed'`,
      `delete from ${table}`,
      `truncate ${table}`,
    ]) {
      await refuses(writeAs(sql, 'local', statement), /never changed or removed/, 'HX002');
    }
  }
});

test('checks are never changed or removed, except that erasing a person takes the person out', async () => {
  const database = await open(local);
  try {
    const check = checkRow('local');
    await database.write((sql) => insertCheck(sql, check, { cacheKey: 'key', requestId: null }));
    for (const statement of [
      'update checks set pqs = 1',
      'delete from checks',
      'truncate checks, requests cascade',
    ]) {
      await refuses(writeAs(local.sql, 'local', statement), /never changed or removed/, 'HX002');
    }
    await writeAs(local.sql, 'local', INSERT_USER);
    const owned = checkRow('local');
    await database.write(async (sql) => {
      await insertCheck(sql, owned, { cacheKey: 'key', requestId: null });
    });
    const person = '(select user_id from users)';
    await refuses(
      writeAs(local.sql, 'local', `update checks set user_id = ${person}`),
      /never changed/,
      'HX002',
    );
    await local.sql.unsafe('alter table checks disable trigger hx_append_only');
    await writeAs(
      local.sql,
      'local',
      `update checks set user_id = ${person} where run_id = '${owned.run_id}'`,
    );
    await local.sql.unsafe('alter table checks enable always trigger hx_append_only');
    await writeAs(local.sql, 'local', 'delete from users');
    const [row] = await local.sql`select user_id, pqs from checks where run_id = ${owned.run_id}`;
    assert.equal({ ...row }, { user_id: null, pqs: 90 });
  } finally {
    await database.close();
  }
});

test.run();
