import type { TransactionSql } from 'postgres';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HxError } from '../../src/base/errors.js';
import { openDatabase } from '../../src/operational/connection.js';
import { findFreePort } from '../../src/operational/server/ports.js';
import { directUrl, driverOptions, serverAddress } from '../../src/operational/session.js';
import { createTestDatabase, fails, makeTestSettings, type TestDatabase } from '../helpers.js';

const test = suite('connection');
let database: TestDatabase;

test.before(async () => {
  database = await createTestDatabase();
});
test.after(() => database.drop());

function open(settings = database.settings) {
  return openDatabase({ settings, signal: new AbortController().signal, emit: () => undefined });
}

test('write declares the environment in one transaction, which is undone when the work fails', async () => {
  const opened = await open();
  try {
    const insert = "insert into users (email) values ('a@example.org')";
    await opened.write((sql) => sql.unsafe(insert));
    const failing = opened.write(async (sql) => {
      await sql`delete from users`;
      throw new Error('on purpose');
    });
    await failing.then(
      () => assert.unreachable(),
      (error) => assert.is(error.message, 'on purpose'),
    );
    const rows = await opened.read((sql) => sql`select from users`);
    assert.is(rows.length, 1);
    await fails(
      opened.write((sql) => sql.unsafe(insert)),
      'conflict',
      /users_email_key/,
    );
  } finally {
    await opened.close();
  }
});

/** Ends the server's side of a transaction's connection from another one. */
async function endBackend(sql: TransactionSql): Promise<void> {
  const [row] = await sql`select pg_backend_pid() as pid`;
  await database.sql`select pg_terminate_backend(${row?.['pid']})`;
}

test('a connection that the server ended is an error of one call, not of the process', async () => {
  const opened = await open();
  try {
    const works: ((sql: TransactionSql) => Promise<unknown>)[] = [
      // The next statement comes at once, after the loss was noticed, or is under way when it happens.
      async (sql) => {
        await endBackend(sql);
        await sql`select 1`;
      },
      async (sql) => {
        await endBackend(sql);
        await new Promise((resolve) => setTimeout(resolve, 50));
        await sql`select 1`;
      },
      async (sql) => {
        const [row] = await sql`select pg_backend_pid() as pid`;
        const sleeping = sql`select pg_sleep(20)`.execute();
        await Promise.all([sleeping, database.sql`select pg_terminate_backend(${row?.['pid']})`]);
      },
      async (sql) => {
        await endBackend(sql);
        await new Promise((resolve) => setTimeout(resolve, 50));
      },
      async (sql) => {
        await endBackend(sql);
        throw new HxError('unavailable', 'Cannot reach the local database: it fails of itself.');
      },
    ];
    for (let round = 0; round < 5; round += 1) {
      for (const work of works) {
        await fails(opened.write(work), 'unavailable', /Cannot reach the local database/);
      }
      // What is left behind by the loss would come up in the next turns of the event loop.
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    // A connection whose loss was not noticed yet costs one more call.
    const one = () => opened.read((sql) => sql`select 1 as one`);
    const [row] = await one().catch(one);
    assert.is(row?.['one'], 1);
  } finally {
    await opened.close();
  }
});

test('work that goes on after its transaction gets an error', async () => {
  const opened = await open();
  try {
    let kept: TransactionSql | undefined;
    await opened.write(async (sql) => {
      kept = sql;
    });
    assert.throws(() => kept?.unsafe('select 1'), /The transaction is over/);
  } finally {
    await opened.close();
  }
});

test('no local server yet, and one that refuses at once, are unavailable without a wait', async () => {
  await fails(open(makeTestSettings()), 'unavailable', /no local database/, /^hx db up$/);
  const port = await findFreePort();
  const settings = makeTestSettings({ DATABASE_URL: `postgres://a:b@127.0.0.1:${port}/x` });
  const notes: unknown[] = [];
  const opening = openDatabase({
    settings,
    signal: new AbortController().signal,
    emit: (event) => notes.push(event),
  });
  await fails(opening, 'unavailable', /ECONNREFUSED/, /DATABASE_URL/);
  assert.equal(notes, [], 'nothing was tried again');
});

test('a server without the database that the setting names is not taken for one that is down', async () => {
  const url = new URL(database.url);
  url.pathname = '/never_made';
  const settings = makeTestSettings({ DATABASE_URL: url.toString() });
  await fails(
    open(settings),
    'unavailable',
    /The local database is not there, though its server answers: .*never_made/,
    /^Make it on that server \(CREATE DATABASE\), or correct DATABASE_URL\.$/,
  );
});

test('a missing connection string is named, and nothing falls back to another environment', async () => {
  const development = makeTestSettings({ HX_ENV: 'development', DATABASE_URL: database.url });
  await fails(open(development), 'configuration', /DATABASE_URL_DEV is not set/, /\.env\.development/);
  const production = makeTestSettings({ HX_ENV: 'production', DATABASE_URL: database.url });
  await fails(open(production), 'configuration', /DATABASE_URL_PROD is not set/);
});

test('a wrong password names the setting and shows no secret', async () => {
  const url = new URL(database.url);
  url.password = 'wrong-password';
  const error = await open(makeTestSettings({ DATABASE_URL: url.toString() })).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof HxError);
  assert.is(error.code, 'credentials');
  assert.match(error.message, /DATABASE_URL/);
  assert.not.match(`${error.message} ${error.hint}`, /wrong-password/);
});

test('a database of another environment is refused', async () => {
  const settings = makeTestSettings({ HX_ENV: 'production', DATABASE_URL_PROD: database.url });
  await fails(open(settings), 'refused', /for production, but the database there is the local one/);
});

test('an unclaimed copy is refused', async () => {
  const copy = await createTestDatabase({ claimed: false });
  try {
    await fails(open(copy.settings), 'refused', /unclaimed copy/, /hx db claim/);
  } finally {
    await copy.drop();
  }
});

test('a database without its migrations points at hx migrate with its environment', async () => {
  const empty = await createTestDatabase({ environment: 'development', empty: true });
  try {
    await fails(open(empty.settings), 'unavailable', /has no tables/, /^hx migrate --env development$/);
  } finally {
    await empty.drop();
  }
});

const neon = (query: string, host = 'ep-cool-name-pooler.eu.aws.neon.tech') => ({
  url: `postgres://me:s%40cret@${host}/hx${query}`,
  setting: 'DATABASE_URL_PROD',
  plainAllowed: false,
});
const session = { max: 1, applicationName: 'test' };

test('beyond this machine TLS is verified, whatever sslmode says, and cannot be switched off', () => {
  for (const query of [
    '',
    '?sslmode=require',
    '?sslmode=verify-full&channel_binding=require',
    '?sslmode=prefer',
  ]) {
    assert.equal(serverAddress(neon(query)).tls, {});
  }
  assert.throws(() => serverAddress(neon('?sslmode=disable')), /switches TLS off/);
});

test('nothing of the connection string reaches the server as a parameter that it does not know', () => {
  const options = driverOptions(neon('?sslmode=require&channel_binding=require'), session);
  assert.equal(options.connection, { application_name: 'test' });
  assert.is(options.password, 's@cret');
});

test('a pooled endpoint gets no prepared statements, and migrations go to the direct one', () => {
  assert.is(driverOptions(neon(''), session).prepare, false);
  assert.is(driverOptions(neon('', 'ep-cool-name.eu.aws.neon.tech'), session).prepare, true);
  assert.match(directUrl(neon('')).url, /@ep-cool-name\.eu\.aws\.neon\.tech\//);
});

test.run();
