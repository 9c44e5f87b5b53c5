import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createTestDatabase, type TestDatabase } from '../helpers.js';
import { insertCache, writeAs } from './fixtures.js';

const WRITER = fileURLToPath(new URL('writer-process.ts', import.meta.url));
const CHECKS = 25;
const test = suite('two environments on one server');
let local: TestDatabase;
let development: TestDatabase;

test.before(async () => {
  local = await createTestDatabase();
  development = await createTestDatabase({ environment: 'development' });
});
test.after(async () => {
  await local.drop();
  await development.drop();
});

/** A process that checks claims for an environment, given the addresses of both. */
async function writer(environment: string, localUrl: string, developmentUrl: string) {
  const env = {
    PATH: process.env['PATH'],
    HX_DATA_DIR: local.variables['HX_DATA_DIR'],
    DATABASE_URL: localUrl,
    DATABASE_URL_DEV: developmentUrl,
  };
  const argv = ['--import', 'tsx', WRITER, environment, String(CHECKS)];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, argv, { env });
  return { stored: Number(stdout), stderr };
}

async function environmentsIn({ sql }: TestDatabase): Promise<Record<string, number>> {
  const rows = await sql<{ env: string; rows: number }[]>`
    select env, count(*)::integer as rows
    from (
      select env from checks union all select env from requests union all select env from attempts
      union all select env from result_cache
    ) as every group by env`;
  return Object.fromEntries(rows.map(({ env, rows: count }) => [env, count]));
}

test('two processes write side by side, each in its own database alone', async () => {
  const [first, second] = await Promise.all([
    writer('local', local.url, development.url),
    writer('development', local.url, development.url),
  ]);
  assert.equal([first.stored, second.stored], [CHECKS, CHECKS], first.stderr + second.stderr);
  for (const database of [local, development]) {
    const found = await environmentsIn(database);
    assert.equal(Object.keys(found), [database.environment]);
    const [row] = await database.sql`select count(*)::integer as checks from checks`;
    assert.is(row?.['checks'], CHECKS);
  }
});

test('with their addresses exchanged, each is refused by the other, while writers of its own go on there', async () => {
  const before = await Promise.all([local, development].map(environmentsIn));
  // Below hx the databases refuse by themselves, and no lock of the one holds up the other.
  const strangers = (async () => {
    for (let index = 0; index < 200; index += 1) {
      for (const [database, stranger] of [
        [local, 'development'],
        [development, 'local'],
      ] as const) {
        for (const declared of [stranger, database.environment]) {
          const code = await writeAs(database.sql, declared, insertCache(stranger)).then(
            () => 'written',
            (error) => error.code,
          );
          assert.is(code, 'HX001');
        }
      }
    }
  })();
  const [first, second, third, fourth] = await Promise.all([
    writer('local', development.url, local.url),
    writer('development', development.url, local.url),
    writer('local', local.url, development.url),
    writer('development', local.url, development.url),
    strangers,
  ]);
  assert.equal([first.stored, second.stored], [0, 0]);
  assert.match(first.stderr, /This command is for local, but the database there is the development one\./);
  assert.match(second.stderr, /This command is for development, but the database there is the local one\./);
  assert.equal([third.stored, fourth.stored], [CHECKS, CHECKS], third.stderr + fourth.stderr);
  const after = await Promise.all([local, development].map(environmentsIn));
  assert.equal(after.map(Object.keys), before.map(Object.keys));
});

test.run();
