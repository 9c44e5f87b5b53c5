import type { Sql } from 'postgres';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { systemCode } from '../../src/base/errors.js';
import { openDatabase } from '../../src/operational/connection.js';
import { claimDatabase } from '../../src/operational/identity.js';
import { openSession } from '../../src/operational/session.js';
import { connectTo, makeTempFolder, makeTestSettings } from '../helpers.js';
import { insertCache, removeIdentity } from '../operational/fixtures.js';
import { type NeonBench, startNeonBench } from './bench.js';
import { createMigrated } from './client.js';

/**
 * The attacks on a database's identity, against the database alone: the driver without hx's wrapper, by everyone
 * who could try. What only a superuser or the owner can do (switch a trigger off) is theirs; roles keep others out.
 */
const test = suite('attacks');
const options = { signal: new AbortController().signal, emit: () => undefined };
const NAME = 'attacks';
const APP = 'hx_test_app_login';

let bench: NeonBench;
/** Superuser; the login that owns the database, direct and pooled; the application's login, direct and pooled. */
let doors: Readonly<Record<'superuser' | 'owner' | 'pooled owner' | 'app' | 'pooled app', Sql>>;
type Door = keyof typeof doors;
const EVERYBODY = ['superuser', 'owner', 'pooled owner', 'app', 'pooled app'] as const;
const OWNERS = ['superuser', 'owner', 'pooled owner'] as const;
const APPS = ['app', 'pooled app'] as const;

test.before(async () => {
  bench = await startNeonBench();
  await createMigrated(bench, NAME);
  const superuser = connectTo(bench.admin(NAME));
  const { password } = new URL(bench.direct(NAME));
  await superuser.unsafe(`drop role if exists ${APP}`);
  await superuser.unsafe(`create role ${APP} login password '${password}' in role hx_app`);
  await inherit(superuser);
  doors = {
    superuser,
    owner: await open(bench.direct(NAME)),
    'pooled owner': await open(bench.pooled(NAME)),
    app: await open(asApp(bench.direct(NAME))),
    'pooled app': await open(asApp(bench.pooled(NAME))),
  };
});
test.after(async () => {
  for (const door of Object.values(doors)) await door.end({ timeout: 1 });
  await bench.drop(NAME);
  const postgres = connectTo(bench.admin('postgres'));
  await postgres.unsafe(`drop role ${APP}`);
  await postgres.end();
});

function settingsOf(url: string) {
  return makeTestSettings({ HX_ENV: 'development', DATABASE_URL_DEV: url, dataDir: makeTempFolder() });
}

function asApp(url: string): string {
  const changed = new URL(url);
  changed.username = APP;
  return changed.toString();
}

function open(url: string): Promise<Sql> {
  const target = { url, setting: 'DATABASE_URL_DEV', plainAllowed: false };
  return openSession(target, { max: 4, applicationName: 'attacker' });
}

/** A row and a person that a branch of production came with. */
async function inherit(sql: Sql): Promise<void> {
  await sql.unsafe(
    `alter table result_cache disable trigger user;
     alter table users disable trigger user;
     ${insertCache('production')};
     insert into users (email) values ('somebody@example.org');
     alter table result_cache enable always trigger hx_guard_statement, enable always trigger hx_guard_insert,
       enable always trigger hx_guard_update, enable always trigger hx_guard_delete;
     alter table users enable always trigger hx_guard_statement, enable always trigger hx_guard_insert,
       enable always trigger hx_guard_update, enable always trigger hx_guard_delete`,
  );
}

/** What no attack may change. */
async function contents(sql: Sql): Promise<unknown> {
  const [row] = await sql`
    select (select jsonb_agg(to_jsonb(c)) from result_cache c) as cache, (select jsonb_agg(to_jsonb(u)) from users u) as users,
      (select jsonb_agg(to_jsonb(i)) from hx.identity i) as identity, (select count(*)::int from hx.migration) as migrations,
      (select count(*)::int from pg_trigger where tgenabled = 'A') as guards, (select count(*)::int from pg_class) as relations`;
  return { ...row };
}

/** Asserts that the database refuses each try at each door, and that all is as it was. */
async function refused(
  names: readonly Door[],
  tries: readonly string[],
  codes: readonly string[],
  declared: string | null = 'development',
): Promise<void> {
  const before = await contents(doors.superuser);
  for (const name of names) {
    for (const attempt of tries) {
      const what = `${name}: ${attempt}`;
      try {
        await doors[name].begin(async (sql) => {
          if (declared !== null) await sql`select set_config('hx.env', ${declared}, true)`;
          await sql.unsafe(attempt);
        });
      } catch (error) {
        assert.ok(codes.includes(systemCode(error) ?? ''), `${what}: ${systemCode(error)} ${String(error)}`);
        continue;
      }
      assert.unreachable(`${what} went through`);
    }
  }
  assert.equal(await contents(doors.superuser), before);
}

/** Every way to write that Postgres has. */
const WRITES: readonly string[] = [
  "insert into users (email) values ('other@example.org')",
  "update users set plan = 'pro'",
  'delete from users',
  "insert into users (email) values ('somebody@example.org') on conflict (lower(email)) do update set plan = 'pro'",
  'merge into users using (select 1) as one on true when matched then delete',
  "merge into users u using (select 'x@example.org' as email) n on u.email = n.email when not matched then insert (email) values (n.email)",
  'with gone as (delete from users returning user_id) select count(*) from gone',
  "do $$ begin execute 'delete from users'; end $$",
  'explain analyze delete from users',
];

test('1. a session that declared nothing', async () => {
  await refused(EVERYBODY, WRITES, ['HX001'], null);
  await refused(EVERYBODY, WRITES, ['HX001'], '');
});

test('COPY without a declaration, or with a wrong one, even of nothing', async () => {
  const copy = "copy users (email) from '/dev/null'";
  await refused(['superuser'], [copy], ['HX001'], null);
  await refused(['superuser'], [copy], ['HX001'], 'production');
});

test('2. a session of another environment', async () => {
  await refused(EVERYBODY, WRITES, ['HX001'], 'production');
});

test('3. a row of another environment in a session of the right one', async () => {
  const insert = insertCache('production');
  const own = insertCache('development');
  await refused(
    EVERYBODY,
    [
      insert,
      `with made as (${insert} returning 1) select * from made`,
      `${own.replace(/'development'/, "set_config('hx.env', 'production', true)")}`,
      `${own}; update result_cache set env = 'production' where env = 'development'`,
      `${own}; merge into result_cache using (select 1) as one on env = 'development' when matched then update set env = 'production'`,
    ],
    ['HX001'],
  );
});

test('4. TRUNCATE', async () => {
  const truncates = ['truncate result_cache', 'truncate users cascade', 'truncate checks, requests cascade'];
  await refused(OWNERS, truncates, ['HX001', 'HX002'], null);
  await refused(OWNERS, truncates, ['HX001', 'HX002'], 'production');
  await refused(OWNERS, ['truncate checks', 'truncate attempts', 'truncate readouts'], ['HX002', '0A000']);
  await refused(APPS, truncates, ['42501']);
});

test('5. session_replication_role = replica', async () => {
  const replica = 'set local session_replication_role = replica';
  await refused(['superuser'], [`${replica}; delete from users`], ['HX001'], null);
  await refused(['superuser'], [`${replica}; ${insertCache('production')}`], ['HX001']);
  await refused(['superuser'], [`${replica}; update hx.identity set env = 'production'`], ['HX004']);
  await refused([...APPS, 'owner', 'pooled owner'], [replica], ['42501']);
});

test('6. an unclaimed copy, which writes once it is claimed', async () => {
  const copy = `${NAME}_copy`;
  const postgres = connectTo(bench.admin('postgres'));
  // The original has to be left alone while it is copied, by the pooler too.
  await postgres.unsafe(`alter database ${NAME} allow_connections false`);
  await postgres`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${NAME}`;
  await postgres.unsafe(`create database ${copy} template ${NAME}`);
  await postgres.unsafe(`alter database ${NAME} allow_connections true`);
  await postgres.end();
  const owner = await open(bench.direct(copy));
  const app = await open(asApp(bench.pooled(copy)));
  const write = (sql: Sql) =>
    sql.begin(async (transaction) => {
      await transaction`select set_config('hx.env', 'development', true)`;
      await transaction.unsafe("insert into users (email) values ('other@example.org')");
    });
  const code = (work: Promise<unknown>) => work.then(() => 'went through', systemCode);
  try {
    assert.is(await code(write(owner)), 'HX001');
    assert.is(await code(write(app)), 'HX001');
    assert.is(await code(owner.unsafe("set neon.branch_id = 'br-other'")), '55P02');
    const before = await owner`select instance from hx.identity`;
    assert.is(await claimDatabase(owner, 'development'), true);
    const after = await owner`select instance from hx.identity`;
    assert.is.not(after[0]?.['instance'], before[0]?.['instance']);
    const [event] = await owner`select count(*)::int as n from hx.migration_event where kind = 'claimed'`;
    assert.is(event?.['n'], 1);
    await write(app);
  } finally {
    await owner.end({ timeout: 1 });
    await app.end({ timeout: 1 });
    await bench.drop(copy);
  }
});

test('7. a claim by hand, of what is not a copy, or by a login that may not', async () => {
  const statements = [
    "update hx.identity set env = 'production'",
    "insert into hx.identity (env, binding) values ('production', hx.binding()) on conflict (singleton) do update set env = 'production'",
    'delete from hx.identity',
    'truncate hx.identity',
  ];
  await refused(OWNERS, statements, ['HX004']);
  const leftBehind = statements.map((statement) => `set local hx.claim = '1'; ${statement}`);
  await refused(OWNERS, leftBehind, ['HX004']);
  await refused(APPS, statements, ['42501']);
  const forged = "select set_config('hx.claim', pg_current_xact_id()::text, true)";
  await refused(APPS, [`${forged}; ${statements[0]}`], ['42501']);
  for (const name of EVERYBODY) {
    await claimDatabase(doors[name], 'production').then(
      () => assert.unreachable('it was claimed'),
      (error) => assert.match(String(error), /This is the development database itself/),
    );
  }
});

test('8. an update of inherited rows', async () => {
  await refused(
    EVERYBODY,
    [
      "update result_cache set env = 'development'",
      'update result_cache set generation = generation + 1',
      "select set_config('hx.claim', pg_current_xact_id()::text, true); update result_cache set env = 'development'",
      "update result_cache set env = set_config('hx.env', 'production', true)",
    ],
    ['HX001'],
  );
});

test('9. a removal of inherited rows', async () => {
  await refused(
    EVERYBODY,
    [
      'delete from result_cache',
      'merge into result_cache using (select 1) as one on true when matched then delete',
      'with gone as (delete from result_cache returning 1) select * from gone',
    ],
    ['HX001'],
  );
});

test('10. the application against identity, triggers, functions, roles and rows that stay', async () => {
  await refused(
    APPS,
    [
      "insert into hx.migration (number, name, hash, elapsed_ms, hx_version) values (99, 'x', repeat('0', 64), 0, '0')",
      'delete from hx.migration',
      "insert into hx.migration_event (kind, message) values ('claimed', 'x')",
      'alter table users disable trigger all',
      'alter table result_cache disable trigger hx_guard_insert',
      'drop trigger hx_guard_statement on users',
      'create trigger a before insert on users for each row execute function hx.guard_row()',
      'create or replace function hx.guard_statement() returns trigger language plpgsql as $$ begin return null; end $$',
      'create or replace function hx.binding() returns text language sql as $$ select 1::text $$',
      'alter function hx.guard_row() set search_path = public',
      'drop function hx.guard_row() cascade',
      "select hx.guard_table('users')",
      'alter table users rename to others',
      'alter table result_cache drop column env cascade',
      'drop table users cascade',
      'create rule r as on insert to users do instead nothing',
      'create table public.mine (env text)',
      'create temporary table mine (user_id uuid); create trigger t before delete on mine for each row execute function hx.delete_checks_of_user()',
      'create table mine () inherits (result_cache)',
      'create view public.mine as select 1',
      'create function public.now() returns int language sql security definer as $$ select 1 $$',
      'create schema mine',
      'create publication p for table users',
      "create subscription s connection 'host=localhost' publication p with (connect = false)",
      'set local role hx_owner',
      'set local role hx_migrate',
      'reset role; set local role hx_owner',
      'set session authorization neondb_owner',
      'set local session_replication_role = replica',
      'alter role hx_app createrole',
      'grant hx_owner to hx_app',
      `alter database ${NAME} set session_replication_role = replica`,
      'update checks set pqs = 1',
      'delete from checks',
      'update attempts set ordinal = 2',
      'delete from audit_log',
      'copy users to program $$cat$$',
    ],
    ['42501'],
  );
  // A login that is a superuser leaves the role as it likes: the application's is to be a member of hx_app alone.
  await refused(
    ['superuser'],
    ["set local role hx_app; update hx.identity set env = 'production'"],
    ['42501'],
  );
  const definers = await doors.superuser`
    select proname as name, has_function_privilege('hx_app', oid, 'EXECUTE') as callable
    from pg_proc where prosecdef and pronamespace in ('hx'::regnamespace, 'public'::regnamespace)`;
  // It acts as the owner, on the checks of a user whom the application may remove, and by its trigger alone.
  assert.equal([...definers], [{ name: 'delete_checks_of_user', callable: false }]);
});

test('11. what another client of the pooler left in the session', async () => {
  const attacker = await open(asApp(bench.pooled(NAME)));
  const database = await openDatabase({ settings: settingsOf(asApp(bench.pooled(NAME))), ...options });
  try {
    await attacker.unsafe("set hx.env = 'production'; set search_path = pg_temp, public");
    await attacker.unsafe('create temporary table users (email text)');
    // Whichever backend comes, each transaction declares for itself and writes where it means to.
    const writes = Array.from({ length: 40 }, (_, index) =>
      database.write(async (sql) => {
        const [row] = await sql<{ kind: string }[]>`
          insert into users (email) values (${`w${index}@example.org`}) returning tableoid::regclass::text as kind`;
        await sql`delete from users where email = ${`w${index}@example.org`}`;
        return row?.kind;
      }),
    );
    assert.equal(new Set(await Promise.all(writes)), new Set(['users']));
    const [stored] = await doors.superuser`select count(*)::int as n from users`;
    assert.is(stored?.['n'], 1);
    const [left] = await attacker`select current_user::text as role, session_user::text as login`;
    assert.equal({ ...left }, { role: APP, login: APP });
    // A declaration that leaked is the wrong one for whoever declares nothing.
    await attacker.unsafe("insert into public.users (email) values ('x@example.org')").then(
      () => assert.unreachable('it was written under a leaked declaration'),
      (error) => assert.is(systemCode(error), 'HX001'),
    );
  } finally {
    await database.close();
    await attacker.unsafe('discard all');
    await attacker.end({ timeout: 1 });
  }
});

test('a lost identity is made anew by nobody but a claim, and until then nothing is written', async () => {
  const [identity] = await doors.superuser`select * from hx.identity`;
  await removeIdentity(doors.superuser);
  try {
    await refused(EVERYBODY, WRITES, ['HX001']);
    const insert = "insert into hx.identity (env, binding) values ('development', hx.binding())";
    await refused(OWNERS, [insert], ['HX004']);
    await refused(APPS, [insert], ['42501']);
    await claimDatabase(doors.app, 'development', true).then(
      () => assert.unreachable('the application claimed'),
      (error) => assert.match(String(error), /may not act as the role hx_owner/),
    );
  } finally {
    await claimDatabase(doors.owner, 'development', true);
  }
  const [renewed] = await doors.superuser`select * from hx.identity`;
  assert.is.not(renewed?.['instance'], identity?.['instance']);
});

test.run();
