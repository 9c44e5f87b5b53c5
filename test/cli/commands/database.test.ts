import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createTestDatabase, makeTempFolder, removeFolder, runHx, type TestDatabase } from '../../helpers.js';
import { removeIdentity } from '../../operational/fixtures.js';

const test = suite('hx db and hx migrate');
let empty: TestDatabase;

test.before(async () => {
  empty = await createTestDatabase({ empty: true });
});
test.after(() => empty.drop());

test('without a database: exit 3 and hx db up', async () => {
  for (const argv of [['migrate'], ['migrate', 'status'], ['db', 'url'], ['db', 'claim']]) {
    const { exitCode, stdout, stderr } = await runHx(argv);
    assert.is(exitCode, 3, argv.join(' '));
    assert.is(stdout, '');
    assert.match(stderr, /There is no local database yet\.\n {4}hx db up\n/);
  }
});

test('migrate status exits 1 while something is pending; migrate applies it, then nothing', async () => {
  const env = empty.variables;
  const before = await runHx(['migrate', 'status'], { env });
  assert.is(before.exitCode, 1);
  assert.match(before.stdout, /^pending {2}0001_identity\.sql {2}tx$/m);
  const plan = await runHx(['migrate', 'plan', '--to', '1'], { env });
  assert.match(
    plan.stdout,
    /^-- plan [0-9a-f]{64} for local \(hx_test_\d+\)\n-- 0001_identity\.sql\n[\s\S]*create table hx\.identity/,
  );
  assert.not.match(plan.stdout, /create table users/);
  const first = await runHx(['migrate'], { env });
  assert.is(first.exitCode, 0);
  assert.match(first.stdout, /^0001_identity\.sql {2}\d+ ms$/m);
  const second = await runHx(['migrate', 'up'], { env });
  assert.is(second.stdout, 'local: nothing to apply\n');
  const json = await runHx(['migrate', '--json'], { env });
  assert.equal(JSON.parse(json.stdout), { environment: 'local', applied: [] });
  const after = await runHx(['migrate', 'status', '--json'], { env });
  assert.is(after.exitCode, 0);
  assert.equal(JSON.parse(after.stdout).pending, []);
});

test('migrate for an environment whose connection string leads to another one: exit 1', async () => {
  const env = { DATABASE_URL_DEV: empty.url };
  const { exitCode, stderr } = await runHx(['migrate', '--env', 'neon-dev'], { env });
  assert.is(exitCode, 1);
  assert.match(stderr, /for development, but the database there is the local one/);
});

test('production is migrated only with --confirm and claimed only with --yes where nobody can be asked', async () => {
  const production = await createTestDatabase({ environment: 'production', empty: true });
  try {
    const env = production.variables;
    const refused = await runHx(['migrate'], { env });
    assert.is(refused.exitCode, 2);
    assert.match(refused.stderr, /Plan [0-9a-f]{8} applies 0001_identity\.sql, [\s\S]*--confirm [0-9a-f]{8}/);
    const [row] = await production.sql`select to_regclass('hx.identity') is null as untouched`;
    assert.is(row?.['untouched'], true);
    const claim = await runHx(['db', 'claim'], { env });
    assert.is(claim.exitCode, 2);
    assert.match(claim.stderr, /--yes/);
  } finally {
    await production.drop();
  }
});

test('db claim makes a copy usable', async () => {
  const copy = await createTestDatabase({ claimed: false });
  try {
    const env = copy.variables;
    const refused = await runHx(['migrate'], { env });
    assert.is(refused.exitCode, 1);
    assert.match(refused.stderr, /unclaimed copy[\s\S]*hx db claim --env local/);
    assert.is((await runHx(['db', 'claim'], { env })).stdout, 'Claimed for local.\n');
    assert.is((await runHx(['migrate'], { env })).exitCode, 0);
  } finally {
    await copy.drop();
  }
});

test('without its identity a database is not migrated, and db claim --yes gives it one', async () => {
  const lost = await createTestDatabase();
  try {
    const env = lost.variables;
    await removeIdentity(lost.sql);
    for (const argv of [['migrate'], ['migrate', 'status']]) {
      const refused = await runHx(argv, { env });
      assert.is(refused.exitCode, 1);
      assert.match(refused.stderr, /identity is missing[\s\S]*hx db claim --env local --yes/);
    }
    const unasked = await runHx(['db', 'claim'], { env });
    assert.is(unasked.exitCode, 2);
    assert.match(unasked.stderr, /identity of this database is missing[\s\S]*hx db claim --env local --yes/);
    assert.is((await runHx(['db', 'claim', '--yes'], { env })).stdout, 'Claimed for local.\n');
    assert.is((await runHx(['migrate'], { env })).stdout, 'local: nothing to apply\n');
  } finally {
    await lost.drop();
  }
});

test('db up, status, url, down and reset on a folder of its own', async () => {
  const folder = makeTempFolder();
  const env = { HX_DATA_DIR: folder };
  try {
    const up = await runHx(['db', 'up', '--engine', 'embedded', '--json'], { env });
    assert.is(up.exitCode, 0, up.stderr);
    assert.match(JSON.parse(up.stdout).url, /^postgres:\/\/postgres:••••@127\.0\.0\.1:\d+\/hx$/);
    const again = await runHx(['db', 'up'], { env });
    assert.match(again.stdout, /was running already/);
    const url = await runHx(['db', 'url'], { env });
    assert.match(url.stdout, /^postgres:\/\/postgres:[0-9a-f]{48}@127\.0\.0\.1:\d+\/hx\n$/);
    const status = await runHx(['db', 'status'], { env });
    assert.is(status.exitCode, 0);
    assert.match(status.stdout, /^state +running$/m);
    const kept = await runHx(['db', 'reset'], { env });
    assert.is(kept.exitCode, 2);
    assert.match(kept.stderr, /hx db reset --yes/);
    assert.is((await runHx(['db', 'down'], { env })).stdout, 'Postgres stopped.\n');
    assert.is((await runHx(['db', 'status'], { env })).exitCode, 1);
    const down = await runHx(['migrate'], { env });
    assert.is(down.exitCode, 3);
    assert.match(down.stderr, /ECONNREFUSED[\s\S]*hx db up/);
    const other = { ...env, DATABASE_URL: 'postgres://a:b@127.0.0.1:1/x' };
    const noted = await runHx(['db', 'status'], { env: other });
    assert.match(noted.stderr, /DATABASE_URL is set, so hx uses that database/);
    const reset = await runHx(['db', 'reset', '--yes'], { env });
    assert.is(reset.stdout, `Removed the cluster in ${folder}/postgres.\n`);
    const nothing = await runHx(['db', 'reset', '--yes'], { env });
    assert.is(nothing.exitCode, 0);
    assert.is(nothing.stdout, 'There was no local Postgres to remove.\n');
    assert.is((await runHx(['db', 'url'], { env })).exitCode, 3);
  } finally {
    await runHx(['db', 'reset', '--yes'], { env });
    removeFolder(folder);
  }
});

test('db commands that start, stop or remove a server are for the local environment only', async () => {
  for (const argv of [
    ['db', 'up'],
    ['db', 'down'],
    ['db', 'reset', '--yes'],
  ]) {
    const { exitCode, stderr } = await runHx([...argv, '--env', 'production']);
    assert.is(exitCode, 2);
    assert.match(stderr, /works on the local database, not on production/);
  }
});

test('a port that is none is named with its setting', async () => {
  const { exitCode, stderr } = await runHx(['db', 'up'], { env: { HX_PG_PORT: 'abc' } });
  assert.is(exitCode, 2);
  assert.match(stderr, /HX_PG_PORT \(from environment\) is "abc"/);
});

test.run();
