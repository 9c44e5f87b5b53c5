import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Sql } from 'postgres';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { claimDatabase } from '../../src/operational/identity.js';
import { applyMigrations } from '../../src/operational/schema/apply.js';
import { clusterFolder } from '../../src/operational/server/cluster.js';
import { connectTo, removeTestServer, startTestServer } from '../database.js';
import { makeTempFolder, makeTestSettings } from '../helpers.js';
import { insertCache, writeAs } from './fixtures.js';

/**
 * A subscription is an administrator's doing, and its worker applies rows in replication mode, without a statement
 * and without a session of ours. Where they come from, the database cannot know: no guard may let them in.
 */
const test = suite('logical replication');
const dataDir = makeTempFolder();
let server: URL;
/** The production database, whose rows are sent, and the local one, where they must not arrive. */
let production: Sql;
let local: Sql;

test.before(async () => {
  const { url } = await startTestServer(dataDir, ['wal_level=logical', 'wal_retrieve_retry_interval=100ms']);
  server = new URL(url ?? '');
  const admin = connectTo(urlOf('postgres'));
  await admin.unsafe('create database local');
  const settings = makeTestSettings({ DATABASE_URL: urlOf('local') });
  await applyMigrations({ settings, signal: new AbortController().signal, emit: () => undefined });
  await admin.unsafe('create database production template local');
  await admin.end();
  local = connectTo(urlOf('local'));
  production = connectTo(urlOf('production'));
  await claimDatabase(production, 'production');
  for (const sql of [local, production]) await sql.unsafe('create table unguarded (id integer primary key)');
  await production.unsafe('create publication everything for tables in schema public');
});
test.after(async () => {
  await local.end();
  await production.end();
  await removeTestServer(dataDir);
});

function urlOf(database: string): string {
  const url = new URL(server);
  url.pathname = `/${database}`;
  return url.toString();
}

/** Puts a row into the local database as a branch comes with it: without the guards. */
async function inherit(table: string, statement: string): Promise<void> {
  const guards = await local<{ name: string; always: boolean }[]>`
    select tgname as name, tgenabled = 'A' as always from pg_trigger
    where tgrelid = ${table}::text::regclass and tgname in ('hx_guard_statement', 'hx_guard_insert')`;
  assert.is(guards.length, 2);
  for (const { name } of guards) await local.unsafe(`alter table ${table} disable trigger ${name}`);
  await local.unsafe(statement);
  for (const { name, always } of guards) {
    await local.unsafe(`alter table ${table} enable ${always ? 'always' : ''} trigger ${name}`);
  }
}

async function contents(sql: Sql): Promise<Record<string, unknown>> {
  const [row] = await sql`
    select (select jsonb_agg(to_jsonb(u) order by email) from users u) as users,
      (select jsonb_agg(to_jsonb(c) order by cache_key) from result_cache c) as cache,
      (select count(*)::integer from unguarded) as unguarded`;
  return { ...row };
}

interface Replicated {
  /** Whether the subscription gave up, which it does at the first row that is refused. */
  readonly refused: boolean;
  /** What the server wrote down meanwhile. */
  readonly log: string;
}

/** Subscribes, writes to production, and waits until the subscription gives up or something arrives. */
async function replicate(write: string, copyData = false): Promise<Replicated> {
  const logFile = clusterFolder(dataDir).logFile;
  const from = readFileSync(logFile).length;
  const before = JSON.stringify(await contents(local));
  const declare = () => writeAs(production, 'production', write);
  if (copyData) await declare();
  // Within one cluster the subscription cannot make its slot itself: it would wait for its own transaction.
  await production`select pg_create_logical_replication_slot('attack', 'pgoutput')`;
  const { hostname, port, username, password } = server;
  await local.unsafe(
    `create subscription attack
     connection 'host=${hostname} port=${port} user=${username} password=${password} dbname=production'
     publication everything
     with (slot_name = 'attack', create_slot = false, copy_data = ${copyData}, disable_on_error = true)`,
  );
  try {
    if (!copyData) await declare();
    for (const giveUpMs = Date.now() + 30_000; Date.now() < giveUpMs; await sleep(50)) {
      const [state] = await local`select subenabled as enabled from pg_subscription`;
      if (state?.['enabled'] === false || JSON.stringify(await contents(local)) !== before) break;
    }
    const [state] = await local`select not subenabled as refused from pg_subscription`;
    return { refused: state?.['refused'] === true, log: readFileSync(logFile).subarray(from).toString() };
  } finally {
    await changeSubscription('alter subscription attack disable');
    await changeSubscription('alter subscription attack set (slot_name = none)');
    await changeSubscription('drop subscription attack');
    await dropSlots();
  }
}

/** Its workers, each of which disables it when refused, may change it in the same moment. */
async function changeSubscription(statement: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await local.unsafe(statement);
      return;
    } catch (error) {
      if (attempt === 100 || !/tuple concurrently/.test(String(error))) throw error;
      await sleep(50);
    }
  }
}

/** Those of the subscription and of its copies of tables, whose workers may still be about to leave. */
async function dropSlots(): Promise<void> {
  for (;;) {
    const slots = await production<{ name: string; pid: number | null }[]>`
      select slot_name as name, active_pid as pid from pg_replication_slots`;
    if (slots.length === 0) return;
    for (const { name, pid } of slots) {
      // One that was taken or dropped meanwhile is looked at again.
      if (pid === null) await production`select pg_drop_replication_slot(${name})`.catch(() => undefined);
    }
    await sleep(20);
  }
}

test('what no guard holds for arrives, so that a refusal below is that of the guards', async () => {
  const { refused, log } = await replicate('insert into unguarded values (1)');
  assert.is(refused, false, log);
  assert.is((await contents(local))['unguarded'], 1);
});

for (const [what, table, write] of [
  ['a new row', 'users', "insert into users (email) values ('new@example.org')"],
  ['a new row that names its environment', 'result_cache', insertCache('production')],
  ['a change of an inherited row', 'users', "update users set plan = 'pro' where email = 'both@example.org'"],
  ['a removal of an inherited row', 'users', "delete from users where email = 'both@example.org'"],
  ['a truncation', 'result_cache', 'truncate result_cache'],
] as const) {
  test(`${what} is not applied`, async () => {
    const both = `insert into users (user_id, email) values ('00000000-0000-4000-8000-000000000001', 'both@example.org')
      on conflict do nothing`;
    await inherit('users', both);
    await writeAs(production, 'production', both);
    await inherit('result_cache', insertCache('production'));
    const before = await contents(local);
    const { refused, log } = await replicate(write);
    assert.is(refused, true, log);
    assert.match(log, /ERROR: {2}This session did not declare an environment; the database is for local\./);
    assert.match(log, new RegExp(`replication target relation "public.${table}"|TRUNCATE`));
    assert.equal(await contents(local), before);
  });
}

test('the copy of all rows with which a subscription begins brings none', async () => {
  const before = await contents(local);
  const { refused, log } = await replicate("insert into users (email) values ('copied@example.org')", true);
  assert.is(refused, true, log);
  assert.match(log, /did not declare an environment/);
  const after = await contents(local);
  assert.equal({ ...after, unguarded: 0 }, { ...before, unguarded: 0 });
});

test('where every session of the database declares by default, rows of another environment still do not arrive', async () => {
  await local.unsafe("alter database local set hx.env = 'local'");
  try {
    const before = await contents(local);
    const { refused, log } = await replicate(insertCache('production'));
    assert.is(refused, true, log);
    assert.match(log, /A row of result_cache belongs to another environment than this local database/);
    assert.equal(await contents(local), before);
  } finally {
    await local.unsafe('alter database local reset hx.env');
  }
});

test.run();
