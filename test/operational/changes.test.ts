import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findCheck, insertCheck } from '../../src/operational/checks.js';
import { type Database, openDatabase } from '../../src/operational/connection.js';
import { createTestDatabase, type TestDatabase } from '../helpers.js';
import { checkRow, writeAs } from './fixtures.js';

interface State {
  test: TestDatabase;
  database: Database;
  runId: string;
}

const test = suite<State>('changes of checks');

test.before.each(async (state) => {
  state.test = await createTestDatabase();
  const { signal } = new AbortController();
  state.database = await openDatabase({ settings: state.test.settings, signal, emit: () => undefined });
  const check = checkRow('local');
  state.runId = check.run_id;
  await state.database.write((sql) => insertCheck(sql, check, { cacheKey: 'key', requestId: null }));
});
test.after.each(async ({ database, test: { drop } }) => {
  await database.close();
  await drop();
});

const USER = "insert into users (email) values ('a@example.org')";
const WHOSE = 'user_id = (select user_id from users)';

/** Gives the check to a user, which no statement of the application may do to a stored one. */
async function giveToUser({ sql }: TestDatabase): Promise<void> {
  await writeAs(sql, 'local', USER);
  await sql.unsafe('alter table checks disable trigger hx_append_only');
  await writeAs(sql, 'local', `update checks set ${WHOSE}`);
  await sql.unsafe('alter table checks enable always trigger hx_append_only');
}

async function rowOf({ sql }: TestDatabase, runId: string) {
  const [row] = await sql`
    select revision, deleted_at, user_id, xid::text, claim from checks where run_id = ${runId}`;
  return row ?? {};
}

test('a stored check is at revision 0; each update raises it and puts it into the updating transaction', async ({
  test: { sql },
  test: own,
  runId,
}) => {
  const first = await rowOf(own, runId);
  assert.is(first['revision'], 0);
  await giveToUser(own);
  const second = await rowOf(own, runId);
  assert.is(second['revision'], 1);
  assert.ok(BigInt(second['xid']) > BigInt(first['xid']));
  // The application cannot choose either.
  for (const change of ['revision = 7', "xid = '1'", 'revision = revision']) {
    const refused = await writeAs(sql, 'local', `update checks set ${change}`).then(
      () => false,
      () => true,
    );
    assert.is(refused, change !== 'revision = revision', change);
  }
  assert.is((await rowOf(own, runId))['revision'], 2);
});

test('deleting a user marks his checks, which the application then no longer finds', async ({
  database,
  test: own,
  runId,
}) => {
  const other = checkRow('local');
  await database.write((sql) => insertCheck(sql, other, { cacheKey: 'key', requestId: null }));
  await own.sql.unsafe('alter table checks disable trigger hx_append_only');
  await writeAs(own.sql, 'local', USER);
  await writeAs(own.sql, 'local', `update checks set ${WHOSE} where run_id = '${runId}'`);
  await own.sql.unsafe('alter table checks enable always trigger hx_append_only');
  await database.write((sql) => sql`delete from users`);
  const row = await rowOf(own, runId);
  assert.ok(row['deleted_at'] instanceof Date);
  assert.is(row['user_id'], null);
  assert.is(row['revision'], 2);
  assert.is(await findCheck(database, runId), undefined);
  assert.equal(await findCheck(database, other.run_id), other);
});

test('a mark of deletion stays', async ({ test: { sql }, test: own, runId }) => {
  await writeAs(sql, 'local', 'update checks set deleted_at = now()');
  for (const change of ['null', "now() + interval '1 day'"]) {
    let message = '';
    await writeAs(sql, 'local', `update checks set deleted_at = ${change}`).catch((error: unknown) => {
      message = String(error);
    });
    assert.match(message, 'never changed');
  }
  assert.ok((await rowOf(own, runId))['deleted_at'] instanceof Date);
});

test.run();
