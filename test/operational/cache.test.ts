import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { uuidv7 } from '../../src/base/ids.js';
import { askCache, RENEW_LEASE_EVERY_MS, renewLease } from '../../src/operational/cache.js';
import { type Database, openDatabase } from '../../src/operational/connection.js';
import { createTestDatabase, type TestDatabase } from '../helpers.js';
import { writeAs } from './fixtures.js';

const test = suite('leases of the result cache');
let database: TestDatabase;
let opened: Database;

test.before(async () => {
  database = await createTestDatabase();
  const { settings } = database;
  opened = await openDatabase({ settings, signal: new AbortController().signal, emit: () => undefined });
});
test.after(async () => {
  await opened.close();
  await database.drop();
});

/** What a lease has left, as Postgres counts it, in milliseconds. */
async function leftMs(): Promise<number> {
  const [row] = await database.sql<{ left_ms: number }[]>`
    select (extract(epoch from lease_expires_at - now()) * 1000)::double precision as left_ms from result_cache`;
  return row?.left_ms ?? Number.NaN;
}

test('a lease outlives two missed renewals, and a killed holder is waited for 15 seconds at most', async () => {
  const first = await askCache(opened, 'key', uuidv7(new Date()));
  if (first.state !== 'mine') throw new Error(first.state);
  const [granted] = await database.sql<{ granted_ms: number }[]>`
    select (extract(epoch from lease_expires_at - created_at) * 1000)::double precision as granted_ms from result_cache`;
  assert.is(granted?.granted_ms, 15_000);
  assert.ok(RENEW_LEASE_EVERY_MS * 3 <= 15_000);
  assert.is((await askCache(opened, 'key', uuidv7(new Date()))).state, 'busy');
  await writeAs(database.sql, 'local', 'update result_cache set lease_expires_at = now()');
  assert.ok((await leftMs()) <= 0);
  await renewLease(opened, first.lease);
  assert.ok((await leftMs()) > 0);
});

test('an expired lease is taken over under the same run, and its first holder cannot renew it', async () => {
  const [row] = await database.sql<{ run_id: string }[]>`select run_id from result_cache`;
  await writeAs(database.sql, 'local', 'update result_cache set lease_expires_at = now()');
  const next = await askCache(opened, 'key', uuidv7(new Date()));
  if (next.state !== 'mine') throw new Error(next.state);
  assert.is(next.lease.runId, row?.run_id);
  assert.is(next.lease.generation, 2);
  await writeAs(database.sql, 'local', 'update result_cache set lease_expires_at = now()');
  await renewLease(opened, { ...next.lease, generation: 1 });
  assert.ok((await leftMs()) <= 0);
});

test.run();
