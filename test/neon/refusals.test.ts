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
