import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sleep } from '../../src/base/time.js';
import type { Context } from '../../src/handlers/context.js';
import { invoke } from '../../src/handlers/index.js';
import type { TestDatabase } from '../database.js';
import { createTestDatabase, makeTempFolder } from '../helpers.js';
import { type S3Server, startS3 } from '../lake/storage/s3-server.js';
import { assertRight, change, compactNow, machineOf, startHx, store, unguard } from './machines.js';

/** Machines that share a lake on S3, each a process with a data folder of its own. */
interface State {
  server: S3Server;
  database: TestDatabase;
  context: Context;
  env: Record<string, string>;
}

const test = suite<State>('exports of machines on S3');
let prefixes = 0;

test.before(async (state) => {
  state.server = await startS3();
});
test.after(({ server }) => server.stop());
test.before.each(async (state) => {
  prefixes += 1;
  const settings = state.server.settings(`apart-${prefixes}`);
  state.database = await createTestDatabase({ environment: 'local' });
  await unguard(state.database);
  state.context = machineOf(state.database, { settings });
  state.env = { ...settings, DATABASE_URL: state.database.url };
});
test.after.each(async ({ server, context, database }) => {
  await server.set({});
  await context.lanes.close();
  await database.drop();
});

const COUNTS = 'SELECT count(*), count(DISTINCT run_id) FROM checks';

/** Fails unless readers see so many checks, each once, with the database's values. */
async function assertOnce(context: Context, count: number, about: string): Promise<void> {
  await assertRight(context, about);
  const result = await invoke('query', { sql: COUNTS }, context);
  const rows: unknown[][] = [];
  for await (const chunk of result.chunks) rows.push(...chunk);
  result.close();
  assert.equal(rows, [[BigInt(count), BigInt(count)]], about);
}

test('two that export one database at once, one of them some days only, bring every check once', async ({
  server,
  context,
  env,
}) => {
  await store(context, 0, 30);
  await server.set({ delayMs: 20 });
  const dates = ['--since', '2026-11-02', '--until', '2026-11-06'];
  const machines = [[], dates].map((options) =>
    startHx(['export', 'checks', ...options], { ...env, HX_DATA_DIR: makeTempFolder() }),
  );
  let stored = 30;
  let isOver = false;
  const ended = Promise.all(machines.map((machine) => machine.ended)).finally(() => {
    isOver = true;
  });
  // So that the two see other moments of the database.
  while (!isOver) {
    await store(context, stored, 1);
    stored += 1;
  }
  assert.equal(await ended, [0, 0], machines.map(({ said }) => said()).join(''));
  await server.set({});
  await assertRight(context, 'after both');
  await invoke('exportChecks', {}, context);
  await assertOnce(context, stored, 'after a third');
});

test('one that is stopped while another carries on, compacts and removes doubles nothing when it wakes', async ({
  server,
  context,
  database,
  env,
}) => {
  await store(context, 0, 8);
  await invoke('exportChecks', {}, context);
  await compactNow(context);
  // Of the sleeper's writes the first asks what the server can do, the second takes the slot, then come its files.
  for (const [round, writes] of [2, 3, 6].entries()) {
    await store(context, 100 * (round + 1), 8);
    await change(database, `revision = ${round} and created_at < '2026-11-04'`);
    await server.set({ delayMs: 150 });
    const before = (await server.counts())['PUT'] ?? 0;
    const sleeper = startHx(['export', 'checks'], { ...env, HX_DATA_DIR: makeTempFolder() });
    while (((await server.counts())['PUT'] ?? 0) - before < writes) {
      await sleep(10);
    }
    sleeper.child.kill('SIGSTOP');
    await server.set({});
    await change(database, `created_at::date = '2026-11-05'`);
    await invoke('exportChecks', { since: '2026-11-02' }, context);
    await invoke('exportChecks', {}, context);
    await compactNow(context);
    sleeper.child.kill('SIGCONT');
    assert.is(await sleeper.ended, 0, sleeper.said());
    await assertOnce(context, 8 * (round + 2), `stopped after ${writes} writes`);
  }
});

test.run();
