import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Sql } from 'postgres';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HxError } from '../../src/base/errors.js';
import { copyIn } from '../../src/operational/copy.js';
import { checkDump } from '../../src/operational/dump/check.js';
import { type DumpReport, dumpDatabase } from '../../src/operational/dump/dump.js';
import { restoreDump } from '../../src/operational/dump/restore.js';
import {
  createTestDatabase,
  failureOf,
  makeTempFolder,
  removeFolder,
  runHx,
  type TestDatabase,
} from '../helpers.js';
import { checkRow, insertCache, writeAs } from './fixtures.js';

const test = suite('dump and restore');
let folder: string;
let source: TestDatabase;
let target: TestDatabase;

/** Tables that hx does not have yet: every awkward kind of column, key and reference. */
const FURNITURE = `
  create table odd (
    id bigint generated always as identity primary key,
    words text, bytes bytea, amount numeric, ratio double precision, moment timestamptz, span interval,
    many text[], document jsonb, flag boolean,
    "Quoted ""name" text, doubled text generated always as (words || words) stored,
    written xid8 not null default pg_current_xact_id());
  create table keyless (label text, number integer);
  create table alpha (id text primary key);
  create table omega (id text primary key, alpha text references alpha);
  alter table alpha add column omega text references omega deferrable;
  create table parted (at date, label text) partition by range (at);
  create table parted_2026 partition of parted for values from ('2026-01-01') to ('2027-01-01');
  create sequence lonely increment 5;
  create materialized view counted as select count(*) from keyless;
  select hx.guard_table('odd'), hx.make_append_only('odd');`;

test.before(() => {
  folder = makeTempFolder();
});
test.before.each(async () => {
  source = await createTestDatabase();
  target = await createTestDatabase();
});
test.after.each(async () => {
  await source.drop();
  await target.drop();
});
test.after(() => removeFolder(folder));

const signal = new AbortController().signal;

function quiet(database: TestDatabase) {
  return { settings: database.settings, signal, emit: () => undefined };
}

let files = 0;
function newPath(): string {
  files += 1;
  return join(folder, `${files}.dump.gz`);
}

function dump(database = source, path = newPath()): Promise<DumpReport> {
  return dumpDatabase({ ...quiet(database), path, now: new Date() });
}

function restore(path: string, database = target, dryRun = false) {
  return restoreDump({ ...quiet(database), path, dryRun });
}

async function insertCheck(sql: Sql, changes: Parameters<typeof checkRow>[1] = {}): Promise<string> {
  const { bootstrap_seed, sampler_json, config_json, counts_by_template_json, ...row } = checkRow(
    'local',
    changes,
  );
  await sql.begin(async (transaction) => {
    await transaction`select set_config('hx.env', 'local', true)`;
    await transaction`insert into checks ${transaction({
      ...row,
      bootstrap_seed: String(bootstrap_seed),
      sampler_json: transaction.json(JSON.parse(sampler_json)),
      config_json: transaction.json(JSON.parse(config_json)),
      counts_by_template_json: transaction.json(JSON.parse(counts_by_template_json)),
    } as never)}`;
  });
  return row.run_id;
}

async function rowsOf(sql: Sql, table: string): Promise<number> {
  const [row] = await sql.unsafe(`select count(*)::integer as rows from ${table}`);
  return row?.['rows'];
}

test('a restored database has the same rows, schema and sequences, and its own identity and transactions', async () => {
  for (const { sql } of [source, target]) await sql.unsafe(`set role hx_owner; ${FURNITURE}; reset role`);
  await writeAs(
    source.sql,
    'local',
    String.raw`
    insert into odd (words, bytes, amount, ratio, moment, span, many, document, flag, "Quoted ""name") values
      (e'a\tb\nc\\d\r', '\x00ff', 'NaN', 'Infinity', '-infinity', '1 mon 2 days', '{a,"b,c",null}', '{"é": [1e400]}', true, ''),
      ('\.', '', 1e-30, 0.1, '2026-11-26 10:00:00.123456+02', '-1 sec', '{}', 'null', null, null),
      (null, null, null, -0.0, '0044-03-15 BC', null, null, null, false, '日本語 🎉');
    insert into keyless values ('b', 1), ('a', null), ('a', null), (null, 2), ('', 3);
    set constraints all deferred;
    insert into omega values ('o', null); insert into alpha values ('a', 'o'); update omega set alpha = 'a';
    insert into parted values ('2026-02-01', 'x');
    insert into users (email) values ('a@example.org');
    insert into audit_log (user_id, action) select user_id, 'x' from users, generate_series(1, 3);
    select nextval('lonely'), nextval('lonely');
    select nextval('odd_id_seq');`,
  );
  const first = await insertCheck(source.sql);
  await insertCheck(source.sql, { was_cached: true, cached_from: first });
  const before = await source.sql`select instance from hx.identity`;

  const dumped = await dump();
  assert.is(dumped.instance, before[0]?.['instance']);
  assert.is(statSync(dumped.path).mode & 0o777, 0o600);
  const left = dumped.leftOut.map(({ name }) => name);
  assert.equal(
    left.filter((name) => !name.startsWith('hx.')).sort(),
    ['public.checks.xid', 'public.counted', 'public.odd.doubled', 'public.odd.written'].sort(),
  );

  const restored = await restore(dumped.path);
  assert.equal(restored.tables, dumped.tables);
  assert.is(restored.fingerprint, dumped.fingerprint);
  assert.is(restored.rows, 3 + 5 + 2 + 1 + 1 + 3 + 2);
  assert.is.not(restored.instance, dumped.instance);
  const again = await dump(target);
  assert.equal(again.tables, dumped.tables, 'a dump of what was restored is the same');
  const odd = 'select id, words, doubled, bytes, many, document::text, "Quoted ""name" from odd order by id';
  assert.equal([...(await target.sql.unsafe(odd))], [...(await source.sql.unsafe(odd))]);
  const [{ written } = {}] = await target.sql`select count(distinct xid)::integer as written from checks`;
  assert.is(written, 1, 'all rows are those of one new transaction');
  const state =
    'select last_value, is_called from lonely union all select last_value, is_called from odd_id_seq';
  assert.equal([...(await target.sql.unsafe(state))], [...(await source.sql.unsafe(state))]);
  await writeAs(target.sql, 'local', "insert into odd (words) values ('next')");
  assert.equal([...(await target.sql`select max(id)::integer as id from odd`)], [{ id: 5 }]);
  const refused = writeAs(target.sql, 'local', 'delete from odd').then(
    () => 'changed',
    (error) => error.code,
  );
  assert.is(await refused, 'HX002', 'the guards are in force');
});

test('a dump is one moment, whatever is written meanwhile', async () => {
  const ids = [await insertCheck(source.sql)];
  let stop = false;
  const writer = (async () => {
    while (!stop) ids.push(await insertCheck(source.sql, { was_cached: true, cached_from: ids[0] ?? null }));
  })();
  const reports: DumpReport[] = [];
  try {
    for (let count = 0; count < 4; count += 1) reports.push(await dump());
  } finally {
    stop = true;
    await writer;
  }
  const counts = reports.map(({ rows }) => rows);
  assert.equal(
    counts,
    [...counts].sort((a, b) => a - b),
  );
  // Its own checks hold: the count of the header, taken first, is that of the rows.
  await restore(reports[3]?.path ?? '');
  assert.is(await rowsOf(target.sql, 'checks'), counts[3]);
});

test('every cut and every changed byte is noticed before anything is written', async () => {
  await insertCheck(source.sql);
  const { path } = await dump();
  const whole = readFileSync(path);
  const plain = gunzipSync(whole);
  const broken = newPath();
  const refuse = async (bytes: Buffer, what: string) => {
    writeFileSync(broken, bytes);
    const error = await failureOf(restore(broken));
    assert.ok(
      ['conflict', 'usage', 'refused'].includes(error.code),
      `${what}: ${error.code} ${error.message}`,
    );
  };
  for (let part = 0; part < 10; part += 2) {
    await refuse(whole.subarray(0, Math.floor((whole.length * part) / 10)), `cut at ${part}/10`);
    await refuse(
      gzipSync(plain.subarray(0, Math.floor((plain.length * part) / 10))),
      `plain cut at ${part}/10`,
    );
  }
  await refuse(gzipSync(plain.subarray(0, -1)), 'its last byte cut');
  await refuse(gzipSync(Buffer.concat([plain, Buffer.from('x')])), 'a byte more');
  for (let count = 0; count < 25; count += 1) {
    const at = randomBytes(4).readUInt32BE() % plain.length;
    const changed = Buffer.from(plain);
    changed[at] = (changed[at] ?? 0) ^ 1;
    await refuse(gzipSync(changed), `byte ${at} changed`);
  }
  for (let at = plain.indexOf('"sequences"'); at < plain.length - 1; at += 1) {
    const changed = Buffer.from(plain);
    changed[at] = (changed[at] ?? 0) ^ 1;
    writeFileSync(broken, gzipSync(changed));
    const error = await failureOf(checkDump(broken, 'local', signal, () => {}));
    assert.is(error.code, 'conflict', `byte ${at} changed`);
  }
  await refuse(Buffer.from('select 1'), 'a text');
  await refuse(gzipSync('{"format":"hx dump","version":2}\n'), 'a later version');
  assert.is(await rowsOf(target.sql, 'checks'), 0);
  await restore(path);
});

test('a database with rows is left alone, and named', async () => {
  await writeAs(source.sql, 'local', insertCache('local'));
  const { path } = await dump();
  const dry = await restore(path, target, true);
  assert.is(dry.restored, false);
  assert.is(await rowsOf(target.sql, 'result_cache'), 0);
  await writeAs(target.sql, 'local', "insert into users (email) values ('a@example.org')");
  for (const dryRun of [true, false]) {
    const error = await failureOf(restore(path, target, dryRun));
    assert.is(error.message, 'The local database is not empty: the table public.users has rows.');
    assert.match(error.hint ?? '', /hx db reset --yes && hx db up && hx migrate/);
  }
  assert.is(await rowsOf(target.sql, 'result_cache'), 0);
});

test('two restores at once: one does it, the other finds rows', async () => {
  await writeAs(source.sql, 'local', insertCache('local'));
  const { path } = await dump();
  const results = await Promise.allSettled([restore(path), restore(path)]);
  assert.equal(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  assert.is(await rowsOf(target.sql, 'result_cache'), 1);
});

test('a dump goes into its own environment alone, and production is out of it', async () => {
  const development = await createTestDatabase({ environment: 'development' });
  const unclaimed = await createTestDatabase({ claimed: false });
  const empty = await createTestDatabase({ empty: true });
  try {
    await writeAs(development.sql, 'development', insertCache('development'));
    const { path } = await dump(development);
    const error = await failureOf(restore(path));
    assert.is(error.code, 'refused');
    assert.match(error.message, /holds the development database, whose rows do not belong into local/);
    assert.match((await failureOf(dump(unclaimed))).message, /unclaimed copy/);
    assert.match((await failureOf(dump(empty))).message, /was never migrated/);
    const other = { ...development.variables, HX_ENV: 'local', DATABASE_URL: development.url };
    const wrong = await runHx(['db', 'dump'], { env: other });
    assert.match(wrong.stderr, /This command is for local, but the database there is the development one/);
    for (const argv of [
      ['db', 'dump'],
      ['db', 'restore', path],
    ]) {
      const { exitCode, stderr } = await runHx([...argv, '--env', 'neon'], { env: source.variables });
      assert.is(exitCode, 2);
      assert.match(stderr, /works on local and development, not on production/);
    }
  } finally {
    for (const database of [development, unclaimed, empty]) await database.drop();
  }
});

test('another schema and other migrations are named, with the way to get there', async () => {
  await source.sql.unsafe(
    'set role hx_owner; create table extra (id integer); alter table users add column note text; reset role',
  );
  const { path } = await dump();
  const schema = await failureOf(restore(path));
  assert.match(
    schema.message,
    /has another schema than the dump: .*column public\.users\.note|column users\.note/,
  );
  assert.match(schema.message, /table extra|table public\.extra/);
  await target.sql.unsafe('delete from hx.migration where number = (select max(number) from hx.migration)');
  const behind = await failureOf(restore(path));
  assert.match(behind.message, /is at other migrations than the dump: it lacks \d{4}_/);
  assert.match(behind.hint ?? '', /^hx migrate --to \d+, then restore\.$/);
});

test('what somebody made by hand is named, with the statement that gives it to hx, and with that it is dumped', async () => {
  for (const { sql } of [source, target]) {
    await sql.unsafe(`
      create table notes (id bigint generated always as identity primary key, text text);
      create schema "My own"; create table "My own".t (a integer); create sequence counter;
      insert into notes (text) values ('kept')`);
  }
  const { code, message, hint } = await failureOf(dump());
  assert.is(code, 'conflict');
  assert.is(
    message,
    'A dump or a restore would lack rights: the schema "My own" belongs to postgres, the table "My own".t belongs to ' +
      'postgres, the table public.notes belongs to postgres, the sequence public.counter belongs to postgres, not to hx_owner.',
  );
  const [, statements = ''] = /^In hx db psql: (.*;) Or drop what is not needed\.$/.exec(hint ?? '') ?? [];
  assert.is(statements.split(';').length, 5);
  await source.sql.unsafe(statements);
  const { path, tables } = await dump();
  assert.is(tables.find(({ name }) => name === 'public.notes')?.rows, 1);
  assert.match((await failureOf(restore(path))).message, /the table public\.notes belongs to postgres/);
  await target.sql.unsafe(`${statements}; truncate notes`);
  await restore(path);
  assert.is(await rowsOf(target.sql, 'notes'), 1);
});

test('what the database says after the last row reaches the caller', async () => {
  await target.sql.unsafe('create table a (id integer primary key); create table b (a integer references a)');
  async function* rows() {
    yield Buffer.from('1\n2\n');
  }
  const failure = target.sql
    .begin((sql) => copyIn(sql, 'copy b (a) from stdin', rows(), signal))
    .then(
      () => undefined,
      (error) => error.code,
    );
  assert.is(await failure, '23503');
  assert.is(await rowsOf(target.sql, 'b'), 0);
});

test('a database that changes rows as they come in is not restored, and no sequence moves', async () => {
  const alter = `
    create function shout() returns trigger language plpgsql as $$ begin new.email := upper(new.email); return new; end $$;
    create trigger shout before insert on users for each row execute function shout();`;
  await writeAs(
    source.sql,
    'local',
    "insert into users (email) values ('a@example.org'); insert into audit_log (action) values ('x')",
  );
  for (const { sql } of [source, target]) await sql.unsafe(alter);
  const { path } = await dump();
  const error = await failureOf(restore(path));
  assert.is(
    error.message,
    'The restore was rolled back: public.users would not hold the rows that were dumped.',
  );
  assert.is(await rowsOf(target.sql, 'users'), 0);
  const [sequence] = await target.sql`select last_value::integer, is_called from audit_log_audit_id_seq`;
  assert.equal(sequence, { last_value: 1, is_called: false });
});

test('a dump replaces no file, makes folders, and leaves nothing when it cannot be written', async () => {
  const { path } = await dump();
  const again = await failureOf(dump(source, path));
  assert.is(again.code, 'usage');
  assert.match(again.message, /is there already, and a dump replaces nothing/);
  await dump(source, join(folder, 'deep', 'er', 'x.dump.gz'));
  assert.ok(existsSync(join(folder, 'deep', 'er', 'x.dump.gz')));
  const file = join(folder, 'file');
  writeFileSync(file, '');
  const error = await failureOf(dump(source, join(file, 'x.dump.gz')));
  assert.is(error.code, 'failed');
  assert.match(error.message, /^Cannot write .*x\.dump\.gz: /);
});

test('two dumps to one name at once: one is there, whole, and the other is told', async () => {
  await writeAs(source.sql, 'local', insertCache('local'));
  const path = newPath();
  const results = await Promise.allSettled([dump(source, path), dump(source, path)]);
  assert.equal(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  const rejected = results.find((result) => result.status === 'rejected');
  assert.match(String(rejected?.reason), /is there already, and a dump replaces nothing/);
  assert.equal(
    readdirSync(folder).filter((name) => name.startsWith('.')),
    [],
  );
  assert.is((await restore(path)).rows, 1);
});

test('an abort leaves no file and no rows', async () => {
  await source.sql.begin(async (sql) => {
    await sql`select set_config('hx.env', 'local', true)`;
    await sql`insert into users (email) select repeat('x', 1000) || n || '@example.org' from generate_series(1, 20000) n`;
  });
  const own = join(folder, 'aborted');
  mkdirSync(own);
  const abortAt = (what: string, most: number) => {
    const controller = new AbortController();
    return {
      signal: controller.signal,
      emit: (event: { type: string; what?: string; done?: number }) => {
        if (event.what === what && (event.done ?? 0) > most)
          controller.abort(new HxError('interrupted', 'Interrupted.'));
      },
    };
  };
  const cut = await failureOf(
    dumpDatabase({
      settings: source.settings,
      ...abortAt('rows dumped', 5_000),
      path: join(own, 'x'),
      now: new Date(),
    }),
  );
  assert.is(cut.code, 'interrupted');
  assert.equal(readdirSync(own), []);
  const { path } = await dump();
  for (const what of ['rows restored', 'rows verified']) {
    const error = await failureOf(
      restoreDump({ settings: target.settings, ...abortAt(what, 5_000), path, dryRun: false }),
    );
    assert.is(error.code, 'interrupted', what);
    assert.is(await rowsOf(target.sql, 'users'), 0);
  }
  await restore(path);
  assert.is(await rowsOf(target.sql, 'users'), 20_000);
});

test('the command prints tables and hashes, or one JSON value, and takes a name from the moment', async () => {
  await writeAs(source.sql, 'local', insertCache('local'));
  const env = { ...source.variables, HX_DATA_DIR: folder };
  const dumped = await runHx(['db', 'dump'], { env });
  assert.is(dumped.exitCode, 0, dumped.stderr);
  assert.match(dumped.stdout, /^public\.result_cache +1 {2}[0-9a-f]{16}$/m);
  assert.match(dumped.stdout, /^schema [0-9a-f]{16}$/m);
  assert.match(dumped.stderr, /Not in it: hx\.identity, hx\.migration.* keeps its own\)/);
  assert.match(dumped.stderr, /Not in it: public\.checks\.xid/);
  const [name = ''] = readdirSync(join(folder, 'dumps'));
  assert.match(name, /^local-\d{8}T\d{6}Z\.dump\.gz$/);
  const restored = await runHx(['db', 'restore', join('dumps', name), '--json'], {
    env: { ...target.variables },
    folder,
  });
  assert.is(restored.exitCode, 0, restored.stderr);
  const { rows, restored: done, tables } = JSON.parse(restored.stdout);
  assert.equal([rows, done], [1, true]);
  assert.is(tables.find((table: { name: string }) => table.name === 'public.result_cache').rows, 1);
  const missing = await runHx(['db', 'restore', 'none.dump.gz'], { env: target.variables });
  assert.is(missing.exitCode, 2);
  assert.match(missing.stderr, /Cannot read .*none\.dump\.gz: .*no such file/);
  assert.is((await runHx(['db', 'restore', '-'], { env: target.variables })).exitCode, 2);
});

test.run();
