import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Database } from '../../src/operational/connection.js';
import { driverOptions, openSession } from '../../src/operational/session.js';
import type { NeonBench } from './bench.js';
import { DATABASE, startMigratedBench, targetOf, withDatabase } from './client.js';

const test = suite('neon');
let bench: NeonBench;

test.before(async () => {
  bench = await startMigratedBench();
});

function target() {
  return targetOf(bench.pooled(DATABASE));
}

function withPooled<T>(work: (database: Database) => Promise<T>): Promise<T> {
  return withDatabase(bench.pooled(DATABASE), work);
}

test('the bench is a branch of Neon as hx sees it, whose sessions cannot pretend to be another', async () => {
  await withPooled(async (database) => {
    const [row] = await database.read(
      (sql) => sql`select hx.binding() as binding, ssl from pg_stat_ssl where pid = pg_backend_pid()`,
    );
    assert.match(row?.['binding'], new RegExp(`^neon:project-test/${bench.branch}/\\d+$`));
    assert.is(row?.['ssl'], true);
    await database
      .read((sql) => sql`set neon.branch_id = 'br-other'`)
      .then(
        () => assert.unreachable('a session changed its branch'),
        (error) => assert.match(String(error), /cannot be changed without restarting the server/),
      );
  });
});

test('the pooled endpoint shares backends, and 160 transactions at once come out right through it', async () => {
  await withPooled(async (database) => {
    const results = await Promise.all(
      Array.from({ length: 160 }, (_, index) =>
        database.write(async (sql) => {
          const [first] = await sql<{ pid: number; doubled: number }[]>`
            select pg_backend_pid() as pid, ${index}::int * 2 as doubled`;
          const [second] = await sql<{ pid: number; env: string }[]>`
            select pg_backend_pid() as pid, current_setting('hx.env') as env from pg_sleep(0.002)`;
          assert.is(first?.pid, second?.pid, 'one transaction, one backend');
          assert.is(second?.env, 'development');
          return { pid: first?.pid, doubled: first?.doubled };
        }),
      ),
    );
    assert.equal(
      results.map(({ doubled }) => doubled),
      Array.from({ length: 160 }, (_, index) => index * 2),
    );
  });
});

test('the pooler really breaks what relies on a session: prepared statements', async () => {
  const { default: postgres } = await import('postgres');
  const session = driverOptions(target(), { max: 10, applicationName: 'test' });
  const careless = postgres({ ...session, prepare: true });
  const results = await Promise.allSettled(
    Array.from({ length: 160 }, (_, index) =>
      careless.begin(async (sql) => {
        await sql`select ${index}::int`;
        await sql`select ${index}::int + 1`;
      }),
    ),
  );
  await careless.end({ timeout: 1 });
  const failed = results.filter(({ status }) => status === 'rejected');
  assert.ok(
    failed.length > 0,
    'with prepared statements something fails, so the test above proves something',
  );
});

test('what a session sets leaks to another client of the pooler; what a transaction declares does not', async () => {
  await withPooled(async (database) => {
    // Other clients see whichever backend is free; asking for many at once covers all of them.
    const seen = async () => {
      const ask = () =>
        database.sql.begin(
          (sql) =>
            sql<{ env: string | null }[]>`
            select nullif(current_setting('hx.env', true), '') as env from pg_sleep(0.01)`,
        );
      const answers = await Promise.all(Array.from({ length: 40 }, ask));
      return new Set(answers.map(([row]) => row?.env ?? 'nothing'));
    };
    await Promise.all(Array.from({ length: 40 }, () => database.write((sql) => sql`select pg_sleep(0.01)`)));
    assert.equal(await seen(), new Set(['nothing']), 'a declaration outlived its transaction');

    const other = await openSession(target(), { max: 1, applicationName: 'another client' });
    await other.unsafe("set hx.env = 'production'");
    await other.end();
    assert.ok((await seen()).has('production'), 'the session-level setting leaked');

    // Every write declares anew, so a leaked declaration changes nothing for it.
    const declared = await Promise.all(
      Array.from({ length: 40 }, () =>
        database.write(async (sql) => {
          const [row] = await sql<{ env: string }[]>`
            select current_setting('hx.env') as env from pg_sleep(0.01)`;
          return row?.env;
        }),
      ),
    );
    assert.equal(new Set(declared), new Set(['development']));
  });
});

test.run();
