import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Accounts, type Context, Lanes } from '../../src/handlers/context.js';
import { invoke } from '../../src/handlers/index.js';
import { createTestDatabase, makeTempFolder, makeTestSettings, removeFolder, runHx } from '../helpers.js';
import { type S3Server, startS3 } from '../lake/storage/s3-server.js';
import { startHx, store } from './machines.js';

interface State {
  server: S3Server;
  database: Awaited<ReturnType<typeof createTestDatabase>>;
  dataDir: string;
  env: Record<string, string>;
  context: Context;
}

const test = suite<State>('lake on S3');
let prefixes = 0;

test.before(async (state) => {
  state.server = await startS3();
});
test.after(({ server }) => server.stop());
test.before.each(async (state) => {
  await state.server.set({});
  prefixes += 1;
  state.database = await createTestDatabase({ environment: 'local' });
  state.dataDir = makeTempFolder();
  state.env = {
    DATABASE_URL: state.database.url,
    HX_DATA_DIR: state.dataDir,
    ...state.server.settings(`lake-${prefixes}`),
  };
  state.context = contextOf(state.env, state.dataDir);
});
test.after.each(async ({ context, database, dataDir }) => {
  await context.lanes.close();
  await database.drop();
  removeFolder(dataDir);
});

function contextOf(env: Record<string, string>, dataDir: string): Context {
  const settings = makeTestSettings({ ...env, dataDir });
  const { signal } = new AbortController();
  const clock = { now: () => new Date('2026-11-09T05:00:00Z'), monotonicMs: () => performance.now() };
  const emit = () => {};
  const lanes = new Lanes(settings, signal, emit);
  return { settings, clock, signal, emit, lanes, accounts: new Accounts() };
}

const COUNTS = 'SELECT count(*), count(DISTINCT run_id) FROM checks';

async function lakeRows(context: Context, sql: string): Promise<unknown[][]> {
  const result = await invoke('query', { sql }, context);
  try {
    const rows: unknown[][] = [];
    for await (const chunk of result.chunks) rows.push(...chunk);
    return rows;
  } finally {
    result.close();
  }
}

test('an export to S3 is read back as it is in Postgres, and a second one brings what is new', async ({
  context,
  env,
}) => {
  await store(context, 0, 20);
  const first = await runHx(['export', 'checks', '--json'], { env });
  assert.is(first.exitCode, 0, first.stderr);
  const exported = JSON.parse(first.stdout);
  assert.is(exported.rows, 20);
  assert.is(exported.lake, env['HX_LAKE_URL']);
  const sql =
    'SELECT run_id, claim, created_at, prob_true_rpl, bootstrap_seed, cost_usd FROM checks ORDER BY run_id';
  const { stdout, stderr } = await runHx(['query', sql, '--json'], { env });
  assert.match(stderr, /^Fetched 8 files \(\d\.\d MB\) of s3:\/\/hx-test-bucket\/lake-\d+\.\n$/);
  const database = await context.lanes.database();
  const stored = await database.read(
    (query) => query`select run_id, claim, prob_true_rpl from checks order by run_id`,
  );
  assert.equal(
    JSON.parse(stdout).map(({ run_id, claim, prob_true_rpl }: Record<string, unknown>) => ({
      run_id,
      claim,
      prob_true_rpl,
    })),
    [...stored].map((row) => ({ ...row })),
  );
  await store(context, 100, 3);
  assert.is(JSON.parse((await runHx(['export', 'checks', '--json'], { env })).stdout).rows, 3);
  assert.is(JSON.parse((await runHx(['export', 'checks', '--json'], { env })).stdout).rows, 0);
  const counted = await runHx(['query', `${COUNTS} -- again`, '--format', 'csv'], { env });
  assert.match(counted.stdout, '23,23');
  assert.match(counted.stderr, /^Fetched 3 files .*; 8 files \(.*\) were here already\.\n$/);
  const some = await runHx(['query', COUNTS, '--fetch-since', '2026-11-08'], { env });
  assert.match(some.stdout, /\r\n2,2\r\n/);
});

test('a run of research goes to S3, and one that S3 did not take goes with the next', async ({
  server,
  env,
}) => {
  const measure = (claim: string) =>
    runHx(['research', claim, '--model', 'simulator/default', '-K', '4', '-R', '1'], { env });
  const first = await measure('Tides are caused by the moon');
  assert.is(first.exitCode, 0, first.stderr);
  await server.set({ readOnly: true });
  const second = await measure('Glass is a liquid');
  assert.is(second.exitCode, 3);
  assert.match(second.stderr, /s3:\/\/hx-test-bucket\/lake-\d+\/.*s3:PutObject.*kept in research\.sqlite/s);
  await server.set({});
  assert.is((await measure('Honey never spoils')).exitCode, 0);
  const { stdout } = await runHx(['query', 'SELECT claim FROM checks ORDER BY claim'], { env });
  assert.equal(stdout.trim().split('\r\n').slice(1), [
    'Glass is a liquid',
    'Honey never spoils',
    'Tides are caused by the moon',
  ]);
});

test('a server that goes in the middle of an export loses and doubles nothing', async ({
  server,
  context,
}) => {
  await store(context, 0, 40);
  // The probe, the intent and two of eight files arrive.
  await server.set({ downAfterWrites: 5 });
  const error = await invoke('exportChecks', {}, context).catch((thrown) => thrown);
  assert.is(error.code, 'unavailable', error.message);
  assert.match(error.message, /broke off the connection \(tried 8 times\)/);
  await store(context, 50, 10);
  await server.set({});
  await invoke('exportChecks', {}, context);
  assert.equal(await lakeRows(context, COUNTS), [[50n, 50n]]);
  assert.is((await invoke('exportChecks', {}, context)).rows, 0);
});

test('exports killed at any moment, then run again, bring every row once', async ({
  server,
  context,
  env,
}) => {
  await store(context, 0, 30);
  await server.set({ delayMs: 60 });
  let killed = 0;
  for (let attempt = 0; attempt < 6; attempt += 1) {
    const { child, ended } = startHx(['export', 'checks'], env);
    const before = (await server.counts())['PUT'] ?? 0;
    // Each attempt dies a write later than the one before; the last ones may come to their end.
    const watch = setInterval(async () => {
      if (((await server.counts())['PUT'] ?? 0) - before > attempt) child.kill('SIGKILL');
    }, 15);
    if ((await ended) === null) killed += 1;
    clearInterval(watch);
    await store(context, 1000 + attempt * 10, 3);
  }
  assert.ok(killed >= 3, `${killed} killed`);
  await server.set({});
  await invoke('exportChecks', {}, context);
  assert.equal(await lakeRows(context, COUNTS), [[48n, 48n]]);
});

test('compaction on S3 changes no row, and is fetched in place of what it replaced', async ({
  context,
  env,
}) => {
  await store(context, 0, 16);
  await invoke('exportChecks', {}, context);
  await store(context, 50, 16);
  await invoke('exportChecks', {}, context);
  const ids = 'SELECT run_id, claim, created_at FROM checks ORDER BY run_id';
  const before = await lakeRows(context, ids);
  assert.is(before.length, 32);
  const { exitCode, stdout, stderr } = await runHx(['export', 'compact', '--json'], { env });
  assert.is(exitCode, 0, stderr);
  assert.is(JSON.parse(stdout).days.length, 8);
  assert.equal(await lakeRows(context, ids), before);
  const verified = await runHx(['export', 'verify'], { env });
  assert.is(verified.exitCode, 0, verified.stderr);
  const { stderr: fetched } = await runHx(['query', ids], { env: { ...env, HX_DATA_DIR: makeTempFolder() } });
  assert.match(fetched, /^Fetched 8 files/);
});

test('doctor says whether the lake answers, and masks its secrets', async ({ env }) => {
  const found = async (changes: Record<string, string>) => {
    const { stdout } = await runHx(['doctor', '--json'], { env: { ...env, ...changes } });
    const { findings, settings } = JSON.parse(stdout);
    const shown = Object.fromEntries(
      settings.map(({ name, value }: { name: string; value: string }) => [name, value]),
    );
    return { finding: findings.find(({ name }: { name: string }) => name === 'Lake on S3'), shown };
  };
  const good = await found({ AWS_SECRET_ACCESS_KEY: 'S3RVER' });
  assert.is(good.finding.state, 'ok');
  assert.match(
    good.finding.detail,
    /^s3:\/\/hx-test-bucket\/lake-\d+ answers in \d+ ms; no export of local yet$/,
  );
  assert.is(good.shown['AWS_SECRET_ACCESS_KEY'], '••••');
  const wrong = await found({ AWS_SECRET_ACCESS_KEY: 'another-secret-of-mine' });
  assert.is(wrong.finding.state, 'broken');
  assert.match(wrong.finding.fix, 'AWS_SECRET_ACCESS_KEY');
  assert.not.match(JSON.stringify(wrong), 'another-secret');
});

test('what makes no sense for a local lake is refused', async () => {
  const { exitCode, stderr } = await runHx(['query', COUNTS, '--fetch-since', '2026-11-01']);
  assert.is(exitCode, 2);
  assert.match(stderr, 'on this machine');
});

test.run();
