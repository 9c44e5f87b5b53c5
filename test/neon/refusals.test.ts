import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connectTo, failureOf } from '../helpers.js';
import { type NeonBench, OWNER } from './bench.js';
import { changed, DATABASE, open, startMigratedBench } from './client.js';

const test = suite('neon: refusals');
let bench: NeonBench;
let endpoints: readonly string[];

test.before(async () => {
  bench = await startMigratedBench();
  endpoints = [bench.direct(DATABASE), bench.pooled(DATABASE)];
});

test('a wrong password and an unknown user name the variable and show no secret', async () => {
  for (const url of endpoints) {
    for (const change of [{ password: 'wrong-secret' }, { user: 'nobody_here', password: 'wrong-secret' }]) {
      const error = await failureOf(open(changed(url, change)));
      assert.is(error.code, 'credentials', error.message);
      assert.is(error.exitCode, 3);
      assert.match(error.message, /refused the user or password in DATABASE_URL_DEV/);
      assert.not.match(`${error.message} ${error.hint} ${JSON.stringify(error.facts)}`, /wrong-secret/);
    }
  }
});

test('a server that wants TLS, and a login that may not log in, are not taken for a wrong password', async () => {
  const bench = await startMigratedBench();
  const plain = new URL(
    changed(bench.direct(DATABASE), { query: { sslmode: 'disable', sslrootcert: null } }),
  );
  plain.hostname = '127.0.0.1';
  const insecure = await failureOf(open(plain.toString()));
  assert.is(insecure.code, 'credentials');
  assert.match(
    insecure.message,
    /does not let the user of DATABASE_URL_DEV in: no pg_hba\.conf entry .*no encryption/,
  );
  assert.match(insecure.hint ?? '', /wants TLS: write sslmode=verify-full into DATABASE_URL_DEV/);
  const sql = connectTo(bench.admin(DATABASE));
  const { password } = new URL(bench.direct(DATABASE));
  await sql.unsafe(`create role hx_test_closed nologin password '${password}'`);
  try {
    const closed = await failureOf(open(changed(bench.direct(DATABASE), { user: 'hx_test_closed' })));
    assert.match(closed.message, /in: role "hx_test_closed" is not permitted to log in/);
    assert.is(closed.hint, 'Correct DATABASE_URL_DEV.');
  } finally {
    await sql.unsafe('drop role hx_test_closed');
    await sql.end();
  }
});

test('a database that is not there is told from a server that is not', async () => {
  const error = await failureOf(open(changed(bench.direct(DATABASE), { database: 'never_made' })));
  assert.is(error.exitCode, 3);
  assert.match(error.message, /is not there, though its server answers: .*never_made/);
  assert.match(error.hint ?? '', /DATABASE_URL_DEV/);
});

test('a pooler that cannot reach its server is waited for, and says so itself in the end', async () => {
  const missing = changed(bench.pooled(DATABASE), {
    database: 'never_made',
    query: { connect_timeout: '1.5' },
  });
  const error = await failureOf(open(missing));
  assert.is(error.exitCode, 3);
  assert.match(
    error.message,
    /Cannot reach the development database at ep-test-1234-pooler\.neon\.localhost/,
  );
  assert.match(error.hint ?? '', /DATABASE_URL_DEV/);
});

test('a server without a free connection says what helps', async () => {
  const admin = connectTo(bench.admin('postgres'));
  await admin.unsafe(`alter role ${OWNER} connection limit 0`);
  try {
    const error = await failureOf(open(bench.direct(DATABASE)));
    assert.is(error.exitCode, 3);
    assert.match(error.message, /^The development database has no connection left: too many connections/);
    assert.match(error.hint ?? '', /pooled endpoint.*DATABASE_URL_DEV/);
  } finally {
    await admin.unsafe(`alter role ${OWNER} connection limit -1`);
    await admin.end();
  }
});

test.run();
