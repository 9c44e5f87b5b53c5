import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Database } from '../../src/operational/connection.js';
import { applyMigrations } from '../../src/operational/schema/apply.js';
import { checkLockHeld, takeLock } from '../../src/operational/schema/lock.js';
import { openSession } from '../../src/operational/session.js';
import { connectTo, failureOf } from '../helpers.js';
import type { NeonBench } from './bench.js';
import {
  changed,
  DATABASE,
  open,
  QUIET,
  settingsOf,
  startMigratedBench,
  targetOf,
  through,
  withDatabase,
} from './client.js';
import { FlakyProxy } from './proxy.js';

const test = suite('neon: failures');
let bench: NeonBench;

test.before(async () => {
  bench = await startMigratedBench();
});

/** Ends backends of the database as an administrator does. */
async function terminate(where: string): Promise<void> {
  const admin = connectTo(bench.admin(DATABASE));
  await admin.unsafe(`
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = '${DATABASE}' and pid <> pg_backend_pid() and ${where}`);
  await admin.end();
}

/** Resolves once somebody runs a statement that begins so. */
async function untilRunning(query: string): Promise<void> {
  const admin = connectTo(bench.admin(DATABASE));
  for (let found = 0; found === 0; ) {
    const rows = await admin`
      select from pg_stat_activity where state = 'active' and query like ${`${query}%`} and pid <> pg_backend_pid()`;
    found = rows.length;
  }
  await admin.end();
}

/** A connection whose loss was not noticed yet costs one more call. */
async function worksAgain(database: Database): Promise<void> {
  const one = () => database.read((sql) => sql`select 1 as one`);
  const rows = await one().catch(one);
  assert.equal([...rows], [{ one: 1 }]);
}

test('a backend that is ended in mid-query is an error in words, and the next query works', async () => {
  for (const [url, words] of [
    [
      bench.direct(DATABASE),
      /Cannot reach the development database at ep-test-1234\..*terminating connection due to administrator command/,
    ],
    [bench.pooled(DATABASE), /Cannot reach the development database at ep-test-1234-pooler\./],
  ] as const) {
    await withDatabase(url, async (database) => {
      for (const start of [
        () => database.read((sql) => sql`select pg_sleep(30)`),
        () => database.write((sql) => sql`select pg_sleep(30)`),
      ]) {
        const failing = failureOf(start());
        await untilRunning('select pg_sleep');
        await terminate("query like 'select pg_sleep%'");
        const error = await failing;
        assert.is(error.exitCode, 3);
        assert.match(error.message, words);
        await worksAgain(database);
      }
    });
  }
});

test('connections that are ended while idle, or between two statements, do not end the process', async () => {
  for (const url of [bench.direct(DATABASE), bench.pooled(DATABASE)]) {
    await withDatabase(url, async (database) => {
      await terminate('true');
      await worksAgain(database);
      const error = await failureOf(
        database.write(async (sql) => {
          await sql`select 1`;
          await terminate('true');
          await sql`select 2`;
        }),
      );
      assert.is(error.exitCode, 3);
      await worksAgain(database);
    });
  }
});

test('a connection that breaks off in mid-query is an error in words, and the next query works', async () => {
  const proxy = await FlakyProxy.start(bench.port, 'pass');
  await withDatabase(through(proxy, bench.direct(DATABASE)), async (database) => {
    const failing = failureOf(database.write((sql) => sql`select pg_sleep(30)`));
    await untilRunning('select pg_sleep');
    proxy.reset();
    const error = await failing;
    assert.is(error.exitCode, 3);
    assert.match(
      error.message,
      /Cannot reach the development database at ep-proxy.*(ECONNRESET|connection was lost)/,
    );
    await worksAgain(database);
  });
  await proxy.stop();
});

test('silence in mid-query ends at the deadline of the statement', async () => {
  const proxy = await FlakyProxy.start(bench.port, 'pass');
  const target = targetOf(through(proxy, bench.direct(DATABASE)));
  const session = { max: 1, applicationName: 'test', silenceTimeoutMs: 300 };
  const sql = await openSession(target, session);
  await sql`select 1`;
  await proxy.fallSilent();
  await sql`select 2`.then(
    () => assert.unreachable(),
    (error) => assert.match(String(error), /has not answered for/),
  );
  await sql.end({ timeout: 0 });
  await proxy.stop();
});

test('an answer that keeps coming, and an idle connection, are not taken for silence', async () => {
  const target = targetOf(bench.direct(DATABASE));
  const sql = await openSession(target, { max: 1, applicationName: 'test', silenceTimeoutMs: 400 });
  const backend = () => sql`select pg_backend_pid() as pid`.then(([row]) => row?.['pid']);
  const first = await backend();
  let rows = 0;
  // Each row is more than the server keeps back, so that each is sent when it is made.
  await sql`
    select repeat('x', 20000) as text, pg_sleep(0.1) from generate_series(1, 8)`.forEach(() => {
    rows += 1;
  });
  assert.is(rows, 8);
  await new Promise((resolve) => setTimeout(resolve, 600));
  assert.is(await backend(), first, 'the same connection throughout');
  await sql.end({ timeout: 1 });
});

test('a server that hangs up at once is dialed a few times, not without end', async () => {
  const proxy = await FlakyProxy.start(bench.port, 'hang-up');
  const error = await failureOf(open(through(proxy, bench.direct(DATABASE), 1)));
  assert.is(error.exitCode, 3);
  assert.match(error.message, /the server hung up/);
  assert.ok(proxy.accepted >= 2 && proxy.accepted <= 8, `${proxy.accepted} tries`);
  await proxy.stop();
});

test('hx migrate goes round the pooler, says so, and names the host that it tried', async () => {
  const notes: string[] = [];
  const emit = (event: { type: string; message?: string }) => notes.push(event.message ?? event.type);
  await applyMigrations({ ...QUIET, emit, settings: settingsOf(bench.pooled(DATABASE)) });
  assert.equal(notes, [
    'DATABASE_URL_DEV names the pooled endpoint; going to ep-test-1234.neon.localhost directly.',
  ]);

  const proxy = await FlakyProxy.start(bench.port, 'refuse');
  const unreachable = changed(bench.pooled(DATABASE), {
    port: proxy.port,
    query: { connect_timeout: '1' },
  });
  const error = await failureOf(applyMigrations({ ...QUIET, settings: settingsOf(unreachable) }));
  assert.is(error.exitCode, 3);
  assert.match(
    error.message,
    /at ep-test-1234\.neon\.localhost \(the direct endpoint behind the one in DATABASE_URL_DEV\): .*ECONNREFUSED/,
  );
});

test('a migration lock that was taken through a pooler is noticed', async () => {
  const target = targetOf(bench.pooled(DATABASE));
  const pooled = () => openSession(target, { max: 1, applicationName: 'test', pinned: true });
  const [migrator, other] = await Promise.all([pooled(), pooled()]);
  const backend = await takeLock(migrator, 1_000, QUIET.signal, QUIET.emit);
  await checkLockHeld(migrator, backend);
  // Another client gets the backend that holds the lock, as it was the last to become free.
  await other.begin(async (sql) => {
    const [row] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
    assert.is(row?.pid, backend);
    const error = await failureOf(checkLockHeld(migrator, backend));
    assert.is(error.exitCode, 3);
    assert.match(error.message, /the migration lock with it/);
  });
  await Promise.all([migrator.end(), other.end()]);
  await terminate('true');
});

test.run();
