import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { migrationsFolder } from '../../src/operational/schema/files.js';
import { verifySchema } from '../../src/operational/schema/verify/verify.js';
import { createTestDatabase, makeTempFolder, removeFolder, runHx, type TestDatabase } from '../helpers.js';
import { removeIdentity } from './fixtures.js';

const test = suite('migrate verify');
let database: TestDatabase;

test.before.each(async () => {
  database = await createTestDatabase({ empty: true });
});
test.after.each(async () => {
  await database.drop();
});

async function migrate(): Promise<void> {
  assert.is((await runHx(['migrate'], { env: database.variables })).exitCode, 0);
}

async function verify(...options: string[]) {
  const { exitCode, stdout } = await runHx(['migrate', 'verify', '--json', ...options], {
    env: database.variables,
  });
  const findings = JSON.parse(stdout).findings as { object: string | null; what: string; fix: string }[];
  return { exitCode, lines: findings.map(({ object, what }) => `${object}: ${what}`), findings };
}

test('a database that is as the migrations make it has no problem', async () => {
  await migrate();
  assert.equal(await verify(), { exitCode: 0, lines: [], findings: [] });
  assert.equal((await verify('--no-replay')).lines, []);
});

test('everything wrong is said at once, each with its fix', async () => {
  await migrate();
  await removeIdentity(database.sql);
  await database.sql.unsafe(`
    update pg_index set indisvalid = false where indexrelid = 'requests_user_id_idx'::regclass;
    alter table users add constraint later check (true) not valid;
    alter table checks disable trigger hx_guard_update;
    alter table users drop column created_at;
    create table open_to_all (id integer primary key)`);
  const { exitCode, lines, findings } = await verify();
  assert.is(exitCode, 1);
  assert.equal(lines, [
    'null: The database there was migrated, but its identity is missing',
    'constraint users.later: the constraint is NOT VALID: old rows may break it',
    'index requests_user_id_idx: the index is INVALID',
    'trigger checks.hx_guard_update: a guard does not always fire',
    'table open_to_all: it is not owned by hx_owner',
    'table open_to_all: the table has no guard',
    'column users.created_at: the migrations make it, but it is missing',
  ]);
  assert.ok(findings.every(({ fix }) => fix !== ''));
  const recorded = await verify('--no-replay');
  assert.is(recorded.exitCode, 1);
  assert.match(recorded.lines.at(-1) ?? '', /no longer as .*\.sql left it/);
});

test('a missing file is named by the sum and by the ledger, and keeps from a replay', async () => {
  await migrate();
  const folder = makeTempFolder();
  cpSync(migrationsFolder(), folder, { recursive: true });
  rmSync(join(folder, '0002_accounts.sql'));
  const { settings } = database;
  const { signal } = new AbortController();
  const findings = await verifySchema({ settings, signal, emit: () => undefined, folder, replay: true });
  removeFolder(folder);
  const whats = findings.map(({ what }) => what);
  assert.match(whats[0] ?? '', /migrations\.sum lists 0002_accounts\.sql/);
  assert.ok(whats.some((what) => what.startsWith('0002_accounts.sql was applied to this database, but')));
  assert.match(whats.at(-1) ?? '', /was not compared/);
});

test('a database that was never migrated is a problem', async () => {
  const { exitCode, lines, findings } = await verify('--no-replay');
  assert.is(exitCode, 1);
  assert.is(lines[0], 'null: the database was never migrated');
  const pending = findings.filter(({ what }) => what.endsWith(' is pending'));
  assert.equal([...new Set(pending.map(({ fix }) => fix))], ['hx migrate --env local']);
});

test.run();
