import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { HxError } from '../../src/base/errors.js';
import { systemClock } from '../../src/base/time.js';
import { Accounts, type Context, Lanes } from '../../src/handlers/context.js';
import { invoke } from '../../src/handlers/index.js';
import { lockFile } from '../../src/lake/storage/file-lock.js';
import { fillChecks } from '../bench/lake/sample-checks.js';
import {
  createTestDatabase,
  makeTempFolder,
  makeTestSettings,
  runHx,
  type TestDatabase,
} from '../helpers.js';

interface State {
  database: TestDatabase;
  dataDir: string;
  context: Context;
}

const test = suite<State>('export verify');

test.before.each(async (state) => {
  state.database = await createTestDatabase({ environment: 'local' });
  state.dataDir = makeTempFolder();
  const settings = makeTestSettings({ DATABASE_URL: state.database.url, dataDir: state.dataDir });
  const { signal } = new AbortController();
  const emit = () => {};
  const lanes = new Lanes(settings, signal, emit);
  state.context = { settings, clock: systemClock, signal, emit, lanes, accounts: new Accounts() };
  await fillChecks(state.database.sql, 400, 4);
});
test.after.each(async ({ context, database }) => {
  await context.lanes.close();
  await database.drop();
});

/** Changes stored checks behind the back of the guards, as nobody but a test does. */
async function tamper({ sql }: TestDatabase, statement: string): Promise<void> {
  await sql.begin(async (transaction) => {
    await transaction`alter table checks disable trigger all`;
    await transaction.unsafe(statement);
    await transaction`alter table checks enable trigger all`;
  });
}

function files(dataDir: string, pattern: RegExp): string[] {
  const folder = join(dataDir, 'exports');
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => pattern.test(name))
    .sort()
    .map((name) => join(folder, name));
}

async function failure(work: Promise<unknown>): Promise<HxError> {
  const [outcome] = await Promise.allSettled([work]);
  assert.is(outcome.status, 'rejected');
  return (outcome as PromiseRejectedResult).reason as HxError;
}

const verify = (context: Context) => invoke('exportVerify', {}, context);

test('a lake that holds what was exported is right, compacted or not, and what waits is no problem', async ({
  context,
  database,
  dataDir,
}) => {
  const empty = await verify(context);
  assert.is(empty.is_right, true);
  assert.equal(
    empty.days.map(({ in_lake, waiting }) => [in_lake, waiting]),
    Array(4).fill([0, 100]),
  );
  await invoke('exportChecks', {}, context);
  const full = await verify(context);
  assert.equal(
    full.days.map((day) => [day.in_database, day.in_lake, day.waiting]),
    Array(4).fill([100, 100, 0]),
  );
  assert.ok(
    full.days.every(
      (day) => day.database_checksum === day.lake_checksum && /^[0-9a-f]{16}$/.test(day.lake_checksum),
    ),
  );
  assert.is(new Set(full.days.map((day) => day.lake_checksum)).size, 4);
  await invoke('exportCompact', {}, context);
  await tamper(
    database,
    `update checks set revision = 1, pqs = 61, xid = pg_current_xact_id() where n_usable = 31`,
  );
  const waiting = await verify(context);
  assert.is(waiting.is_right, true);
  assert.ok(waiting.days.every((day) => day.waiting > 20 && day.in_lake === 100 - day.waiting));
  const isCompacting = join(dataDir, 'exports', 'local', '_hx', 'compact.lock');
  const release = await lockFile(isCompacting, { pollMs: 10 });
  await invoke('exportChecks', {}, context);
  assert.ok(files(dataDir, /u-s3.*parquet$/).length > 0);
  assert.is((await verify(context)).is_right, true, 'with both revisions in the lake');
  release();
  await invoke('exportCompact', {}, context);
  const after = await verify(context);
  assert.is(after.is_right, true);
  assert.equal(
    after.days.map((day) => day.in_lake),
    Array(4).fill(100),
  );
});

test('the checks of another database are none of its business, also where one file holds both', async ({
  context,
  database,
  dataDir,
}) => {
  const other = await createTestDatabase({ environment: 'local' });
  const settings = makeTestSettings({ DATABASE_URL: other.url, dataDir });
  const lanes = new Lanes(settings, context.signal, context.emit);
  const elsewhere = { ...context, settings, lanes };
  try {
    await fillChecks(other.sql, 400, 4);
    await tamper(other, 'update checks set run_id = gen_random_uuid() where n_usable < 32');
    await invoke('exportChecks', {}, context);
    await tamper(database, 'update checks set revision = 1, xid = default where n_usable = 31');
    await invoke('exportChecks', {}, context);
    assert.is(files(dataDir, /c-s3/).length, 4);
    await invoke('exportChecks', {}, elsewhere);
    assert.equal((await verify(elsewhere)).problems, [], 'some checks are in both, as after a branch');
    await invoke('exportCompact', {}, context);
    await tamper(other, 'update checks set revision = 1, xid = default where n_usable = 32');
    await tamper(database, 'update checks set revision = 1, xid = default where n_usable = 32');
    for (const one of [context, elsewhere]) await invoke('exportChecks', {}, one);
    for (const one of [context, elsewhere]) {
      const { problems, days } = await verify(one);
      assert.equal(problems, []);
      assert.is(days.length, 4);
      assert.ok(
        days.every(
          (day) =>
            day.in_database === 100 && day.in_lake === 100 && day.database_checksum === day.lake_checksum,
        ),
      );
    }
    const [{ run_id: gone } = {}] = await database.sql`select run_id from checks limit 1`;
    await tamper(database, `delete from checks where run_id = '${gone}'`);
    assert.equal((await verify(elsewhere)).is_right, true);
  } finally {
    await lanes.close();
    await other.drop();
  }
});

test('what differs is named: missing, changed, double, still there and not in the database', async ({
  context,
  database,
  dataDir,
}) => {
  await invoke('exportChecks', {}, context);
  const [ids = []] = [await database.sql`select run_id from checks order by created_at`];
  const [changed, deleted, gone] = [10, 120, 230].map((index) => ids[index]?.['run_id']);
  const [first = '', , , last = ''] = files(dataDir, /x-s3.*parquet$/);
  rmSync(last);
  writeFileSync(first.replace(/-\d+\.parquet$/, '-1.parquet'), readFileSync(first));
  await tamper(database, `update checks set pqs = 1 where run_id = '${changed}'`);
  await tamper(database, `update checks set deleted_at = now() where run_id = '${deleted}'`);
  await tamper(database, `delete from checks where run_id = '${gone}'`);
  const { is_right, days, problems } = await verify(context);
  assert.is(is_right, false);
  assert.equal(
    days.map((day) => day.problems),
    [101, 1, 1, 101],
  );
  const kinds = (date: number) => problems.filter((one) => one.date === days[date]?.date);
  assert.equal(
    kinds(0).filter(({ problem }) => problem !== 'double'),
    [{ date: days[0]?.date, problem: 'changed', what: changed }],
  );
  assert.equal(kinds(1), [{ date: days[1]?.date, problem: 'not deleted', what: deleted }]);
  assert.equal(kinds(2), [{ date: days[2]?.date, problem: 'not in the database', what: gone }]);
  assert.equal(kinds(3)[0]?.what, `${last.slice(join(dataDir, 'exports/').length)}: it is not there`);
  assert.ok(
    kinds(3)
      .slice(1)
      .every(({ problem }) => problem === 'missing'),
  );
  assert.ok(days.every((day) => day.database_checksum !== day.lake_checksum));
});

test('a file that cannot be read, and a chain with a gap or an overlap, are named', async ({
  context,
  dataDir,
}) => {
  await invoke('exportChecks', {}, context);
  const [file = ''] = files(dataDir, /x-s3.*parquet$/);
  writeFileSync(file, 'PAR1 not really');
  const [commit = ''] = files(dataDir, /commits/).filter((name) => name.endsWith('.json'));
  const hi = BigInt(/-(\d+)\.json$/.exec(commit)?.[1] ?? 0);
  const add = (slot: number, lo: bigint, end: bigint) =>
    writeFileSync(commit.replace(/0-0-\d+\.json$/, `${slot}-${lo}-${end}.json`), readFileSync(commit));
  add(1, hi - 2n, hi);
  add(2, hi + 5n, hi + 6n);
  const { is_right, problems, chain } = await verify(context);
  assert.is(is_right, false);
  assert.match(problems.find(({ problem }) => problem === 'unreadable')?.what ?? '', /x-s3-.*parquet/);
  assert.is(problems.filter(({ problem }) => problem === 'missing').length, 100);
  assert.equal(chain, [
    { problem: 'overlap', lo: String(hi - 2n), hi: String(hi) },
    { problem: 'gap', lo: String(hi), hi: String(hi + 5n) },
  ]);
});

test('records that are gone are named, and nothing is exported twice for want of them', async ({
  context,
  database,
  dataDir,
}) => {
  await invoke('exportChecks', {}, context);
  await tamper(database, 'update checks set revision = 1, pqs = 61, xid = default where n_usable = 31');
  await invoke('exportChecks', {}, context);
  const records = files(dataDir, /_hx.*\/0[^/]*\.json$/);
  assert.is(records.length, 2);
  const later = files(dataDir, /_hx.*\/1[^/]*\.json$/);
  const expectRefusal = async (there: RegExp) => {
    const before = files(dataDir, /parquet|json/);
    for (const name of ['exportChecks', 'exportVerify'] as const) {
      const { code, message, hint } = await failure(invoke(name, {}, context));
      assert.is(code, 'failed');
      assert.match(message, /ranges\/0\.json of exports is gone from .*, but /);
      assert.match(message, there);
      assert.match(hint ?? '', /docs\/exports\.md/);
    }
    assert.equal(files(dataDir, /parquet|json/), before);
  };
  for (const record of records) rmSync(record);
  await expectRefusal(/commits\/1-\d+-\d+\.json is there\.$/);
  for (const record of later) rmSync(record);
  await expectRefusal(/dt=2026-10-01\/u-s3-.*\.parquet is there\.$/);
});

test('copies that somebody made in the lake count nowhere, and a file under another name is named', async ({
  context,
  dataDir,
}) => {
  await invoke('exportChecks', {}, context);
  const [file = ''] = files(dataDir, /x-s3.*parquet$/);
  const [day, environment] = [dirname(file), dirname(dirname(file))];
  cpSync(day, `${day}.bak`, { recursive: true });
  cpSync(environment, `${environment}.bak`, { recursive: true });
  const copies = [file.replace('.parquet', ' copy.parquet'), join(day, 'r-s3-1 (2).parquet')];
  for (const check of [undefined, ...copies]) {
    if (check !== undefined) cpSync(file, check);
    const result = await invoke('query', { sql: 'SELECT count(*) FROM checks' }, context);
    const rows: unknown[] = [];
    for await (const chunk of result.chunks) rows.push(...chunk.flat());
    result.close();
    assert.equal(rows, [400n], check);
  }
  await invoke('exportCompact', {}, context);
  const { problems, days } = await verify(context);
  assert.equal(
    problems.map(({ problem, what }) => `${problem}: ${what}`),
    [...copies.sort()].map((name) => `unknown file: ${name.slice(join(dataDir, 'exports/').length)}`),
  );
  assert.is(days[0]?.in_lake, 100);
});

test('the command exits 1 with what differs, and 0 when all is right', async ({
  context,
  database,
  dataDir,
}) => {
  const env = { DATABASE_URL: database.url, HX_DATA_DIR: dataDir };
  await invoke('exportChecks', {}, context);
  const right = await runHx(['export', 'verify'], { env });
  assert.is(right.exitCode, 0, right.stderr);
  assert.match(right.stdout, 'Right: 400 checks of local, value by value.');
  const [file = ''] = files(dataDir, /x-s3.*parquet$/);
  rmSync(file);
  const wrong = await runHx(['export', 'verify', '--since', '2026-10-01', '--until', '2026-10-01'], { env });
  assert.is(wrong.exitCode, 1);
  assert.match(wrong.stdout, /2026-10-01 {2}missing: [0-9a-f-]{36}/);
  assert.match(wrong.stdout, /101 problems in .*\nWhat to do: .*docs\/exports\.md/);
  const json = await runHx(['export', 'verify', '--json'], { env });
  assert.is(json.exitCode, 1);
  assert.is(JSON.parse(json.stdout).problems.length, 101);
});

test.run();
