import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { HxError } from '../../src/base/errors.js';
import { systemClock } from '../../src/base/time.js';
import { Accounts, type Context, Lanes } from '../../src/handlers/context.js';
import { invoke } from '../../src/handlers/index.js';
import { applyMigrations } from '../../src/operational/schema/apply.js';
import { fillChecks } from '../bench/lake/sample-checks.js';
import { connectTo, removeTestServer, startTestServer } from '../database.js';
import {
  createTestDatabase,
  makeTempFolder,
  makeTestSettings,
  runHx,
  type TestDatabase,
} from '../helpers.js';

interface State {
  database: TestDatabase;
  context: Context;
}

const test = suite<State>('export of a server with a mind of its own');

test.before.each(async (state) => {
  state.database = await createTestDatabase({ environment: 'local' });
  state.context = contextOf(state.database.url);
});
test.after.each(async ({ context, database }) => {
  await context.lanes.close();
  await database.drop();
});

function contextOf(url: string): Context {
  const settings = makeTestSettings({ DATABASE_URL: url });
  const { signal } = new AbortController();
  const emit = () => {};
  const lanes = new Lanes(settings, signal, emit);
  return { settings, clock: systemClock, signal, emit, lanes, accounts: new Accounts() };
}

async function lakeRows(context: Context, sql: string): Promise<unknown[][]> {
  const result = await invoke('query', { sql }, context);
  const rows: unknown[][] = [];
  for await (const chunk of result.chunks) rows.push(...chunk);
  result.close();
  return rows;
}

/** Everything that a database can be set to and that an export would suffer from. */
const SETTINGS = {
  TimeZone: 'Asia/Kathmandu',
  DateStyle: 'SQL, DMY',
  extra_float_digits: '-15',
  search_path: 'elsewhere',
  statement_timeout: '1s',
  transaction_timeout: '1s',
};

test('settings of the database change no value, hide no table and stop no export', async ({
  context,
  database: { sql },
}) => {
  await fillChecks(sql, 20, 2);
  const [{ name = '' } = {}] = await sql`select current_database() as name`;
  for (const [setting, value] of Object.entries(SETTINGS)) {
    await sql.unsafe(`alter database ${name} set ${setting} = '${value}'`);
  }
  await sql`create schema elsewhere`;
  await sql`create table elsewhere.checks (like public.checks)`;
  await sql`grant usage on schema elsewhere to hx_export`;
  await sql`grant select on elsewhere.checks to hx_export`;
  let exported: Promise<{ rows: number }> | undefined;
  await sql.begin(async (transaction) => {
    await transaction`lock table checks in access exclusive mode`;
    exported = invoke('exportChecks', {}, context);
    exported.catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
  });
  assert.is((await exported)?.rows, 20);
  const stored = await sql`select prob_true_rpl, logit from checks order by created_at`;
  assert.equal(
    await lakeRows(context, 'SELECT prob_true_rpl, logit FROM checks ORDER BY created_at'),
    stored.map(({ prob_true_rpl, logit }) => [prob_true_rpl, logit]),
  );
  assert.is((await invoke('exportVerify', {}, context)).is_right, true);
});

test('rows that a policy hides are no reason to export the others', async ({
  context,
  database: { sql },
}) => {
  await fillChecks(sql, 20, 2);
  await sql`alter table checks enable row level security`;
  await sql`create policy half on checks using (n_usable = 30)`;
  const failure = await invoke('exportChecks', {}, context).catch((error: HxError) => error);
  assert.match(String((failure as HxError).message), /row-level security/);
});

test('whoever keeps checks waiting is named, whatever database it is in', async ({ context, database }) => {
  const other = await createTestDatabase({ environment: 'local' });
  try {
    await fillChecks(database.sql, 20, 2);
    const session = await other.sql.reserve();
    await session`begin`;
    const [held] = await session`select pg_current_xact_id()::text as transaction, pg_backend_pid() as pid,
      current_database() as database, session_user as login`;
    assert.is((await invoke('exportChecks', {}, context)).waiting, 0, 'stored before that');
    await database.sql`alter table checks disable trigger all`;
    await database.sql`update checks set pqs = 1, xid = default where n_usable = 30`;
    const { waiting, waiting_for } = await invoke('exportChecks', {}, context);
    assert.is(waiting, 7);
    assert.equal(waiting_for, { ...held, prepared: null });
    const env = { ...database.variables, HX_DATA_DIR: context.settings.dataDir };
    const { stderr } = await runHx(['export', 'checks'], { env });
    assert.match(
      stderr,
      `7 checks of local can only be exported when a transaction ends that is open on the server: ` +
        `${held?.['transaction']} of postgres in database ${held?.['database']}, process ${held?.['pid']}.\n`,
    );
    await session`rollback`;
    session.release();
    assert.is((await invoke('exportChecks', {}, context)).waiting_for, null);
  } finally {
    await other.drop();
  }
});

test('a prepared transaction that nobody ends is named too', async () => {
  const dataDir = makeTempFolder();
  const { url } = await startTestServer(dataDir, ['max_prepared_transactions=2']);
  const sql = connectTo(url ?? '');
  const context = contextOf(url ?? '');
  try {
    await applyMigrations({ settings: context.settings, signal: context.signal, emit: () => undefined });
    const session = await sql.reserve();
    await session`begin`;
    await session`create table unrelated ()`;
    await session`prepare transaction 'forgotten'`;
    session.release();
    await fillChecks(sql, 20, 2);
    const { rows, waiting, waiting_for } = await invoke('exportChecks', {}, context);
    assert.equal([rows, waiting], [0, 20]);
    assert.is(waiting_for?.prepared, 'forgotten');
    const env = { DATABASE_URL: url ?? undefined, HX_DATA_DIR: context.settings.dataDir };
    const { stderr } = await runHx(['export', 'checks'], { env });
    assert.match(stderr, /prepared as "forgotten"; COMMIT PREPARED or ROLLBACK PREPARED ends it\.\n/);
    await sql`rollback prepared 'forgotten'`;
    assert.is((await invoke('exportChecks', {}, context)).rows, 20);
  } finally {
    await context.lanes.close();
    await sql.end();
    await removeTestServer(dataDir);
  }
});

test('checks with the transaction numbers of another server are refused until they are numbered anew', async ({
  context,
  database: { sql },
}) => {
  await fillChecks(sql, 20, 2);
  await sql`alter table checks disable trigger all`;
  await sql`update checks set xid = (xid::text::bigint + 1000000)::text::xid8 where n_usable = 30`;
  for (const trigger of ['append_only', 'guard_update', 'stamp_change'])
    await sql.unsafe(`alter table checks enable always trigger hx_${trigger}`);
  const failure = await invoke('exportChecks', {}, context).catch((error: HxError) => error);
  const { code, message, hint = '' } = failure as HxError;
  assert.is(code, 'conflict');
  assert.match(message, /^7 checks of local came from another server/);
  await sql.unsafe(hint.slice(hint.indexOf(': ') + 2)).simple();
  assert.is((await invoke('exportChecks', {}, context)).rows, 20);
  assert.equal(await lakeRows(context, 'SELECT count(*), count(DISTINCT run_id) FROM checks'), [[20n, 20n]]);
  assert.is((await invoke('exportVerify', {}, context)).is_right, true);
});

test.run();
