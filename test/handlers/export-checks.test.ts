import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Settings } from '../../src/base/config.js';
import { HxError } from '../../src/base/errors.js';
import { sleep } from '../../src/base/time.js';
import { Accounts, type Context, Lanes } from '../../src/handlers/context.js';
import { invoke } from '../../src/handlers/index.js';
import { insertCheck } from '../../src/operational/checks.js';
import type { CheckRecord } from '../../src/rpl/record.js';
import { createTestDatabase, makeTempFolder, makeTestSettings, removeFolder, runHx } from '../helpers.js';
import { lakeRow } from '../lake/rows.js';

interface State {
  database: Awaited<ReturnType<typeof createTestDatabase>>;
  dataDir: string;
  settings: Settings;
  context: Context;
}

const test = suite<State>('export checks');

test.before.each(async (state) => {
  state.database = await createTestDatabase({ environment: 'local' });
  state.dataDir = makeTempFolder();
  state.settings = makeTestSettings({ DATABASE_URL: state.database.url, dataDir: state.dataDir });
  const { signal } = new AbortController();
  const clock = { now: () => new Date('2026-11-04T05:00:00Z'), monotonicMs: () => performance.now() };
  const emit = () => {};
  const lanes = new Lanes(state.settings, signal, emit);
  state.context = { settings: state.settings, clock, signal, emit, lanes, accounts: new Accounts() };
});
test.after.each(async ({ context, database, dataDir }) => {
  await context.lanes.close();
  await database.drop();
  removeFolder(dataDir);
});

function checkAt(number: number, instant: string, given: Partial<CheckRecord> = {}): CheckRecord {
  const {
    lane: _lane,
    revision: _revision,
    deleted_at: _deleted,
    ...check
  } = lakeRow(number, { created_at: new Date(instant) });
  return { ...check, ...given };
}

async function store(context: Context, ...checks: CheckRecord[]): Promise<void> {
  const database = await context.lanes.database();
  await database.write(async (sql) => {
    for (const check of checks)
      await insertCheck(sql, check, { cacheKey: check.config_hash, requestId: null });
  });
}

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

const IDS = 'SELECT run_id FROM checks_local ORDER BY created_at, run_id';
const COUNTS = 'SELECT count(*), count(DISTINCT run_id) FROM checks';

/** Names of the files below the exports folder that the pattern fits. */
function filesOf({ settings }: Context, pattern: RegExp): string[] {
  const folder = join(settings.dataDir, 'exports');
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => pattern.test(name)).sort();
}

const DATA = /\.parquet$/;
const COMMITS = /commits\/.*\.json$/;

async function failure(work: Promise<unknown>): Promise<HxError> {
  return work.then(
    () => assert.unreachable('it succeeded') as never,
    (error: HxError) => error,
  );
}

test('without dates it brings everything, each day in a file of its own', async ({ context }) => {
  const checks = [
    checkAt(1, '2026-11-01T00:00:00.000Z'),
    checkAt(2, '2026-11-01T23:59:59.999Z'),
    checkAt(3, '2026-11-03T12:00:00.000Z'),
  ];
  await store(context, ...checks);
  const result = await invoke('exportChecks', {}, context);
  assert.equal(
    result.days.map(({ date, rows, changed, deleted }) => [date, rows, changed, deleted]),
    [
      ['2026-11-01', 2, 0, 0],
      ['2026-11-03', 1, 0, 0],
    ],
  );
  const { instance } = await context.lanes.database();
  const [range] = result.ranges;
  assert.is(range?.lo, '0');
  assert.equal(
    result.files.map(({ name, rows }) => [name, rows]),
    ['2026-11-01', '2026-11-03'].map((day, index) => [
      `local/dt=${day}/x-s3-${instance.slice(0, 8)}-0-${range?.hi}.parquet`,
      2 - index,
    ]),
  );
  assert.ok(result.files.every(({ name }) => existsSync(join(result.lake, name))));
  assert.equal(
    await lakeRows(context, IDS),
    checks.map(({ run_id }) => [run_id]),
  );
});

test('dates take whole UTC days, both ends included, and the next export brings the rest', async ({
  context,
}) => {
  const inside = [checkAt(1, '2026-11-01T00:00:00.000Z'), checkAt(2, '2026-11-03T23:59:59.999Z')];
  const outside = [checkAt(4, '2026-10-31T23:59:59.999Z'), checkAt(5, '2026-11-04T00:00:00.000Z')];
  await store(context, ...inside, ...outside);
  const dates = { since: '2026-11-01', until: '2026-11-03' };
  assert.is((await invoke('exportChecks', dates, context)).rows, 2);
  assert.equal(
    await lakeRows(context, IDS),
    inside.map(({ run_id }) => [run_id]),
  );
  // The same days again publish nothing twice; what is new on them joins.
  assert.is((await invoke('exportChecks', dates, context)).rows, 0);
  await store(context, checkAt(6, '2026-11-02T10:00:00Z'));
  assert.is((await invoke('exportChecks', dates, context)).rows, 1);
  assert.is((await invoke('exportChecks', { since: '2026-11-02', until: '2026-11-03' }, context)).rows, 0);
  assert.is((await invoke('exportChecks', {}, context)).rows, 2);
  assert.is((await invoke('exportChecks', {}, context)).rows, 0);
  assert.equal(await lakeRows(context, COUNTS), [[5n, 5n]]);
  assert.equal(await lakeRows(context, 'SELECT count(*) FROM lake.rows'), [[5n]]);
});

test('every column arrives as it was stored, to the microsecond and the last digit', async ({ context }) => {
  const row = checkAt(1, '2026-11-01T00:00:00.000Z', {
    bootstrap_seed: 18_446_744_073_709_551_615n,
    cost_usd: '0.000001',
    tokens_out: null,
  });
  await store(context, row);
  const { sql } = await context.lanes.database();
  await sql.begin(async (transaction) => {
    // Nothing of hx stores microseconds, but Postgres keeps them.
    await transaction`alter table checks disable trigger all`;
    await transaction`update checks set created_at = created_at + interval '123456 microseconds'`;
    await transaction`alter table checks enable trigger all`;
  });
  await invoke('exportChecks', {}, context);
  const [values = []] = await lakeRows(
    context,
    `SELECT created_at, bootstrap_seed, cost_usd, tokens_out, prob_true_rpl, config_json, lane, was_cached, revision,
       deleted_at
     FROM checks`,
  );
  assert.equal(values, [
    ...['2026-11-01T00:00:00.123456Z', '18446744073709551615', '0.000001', null, row.prob_true_rpl],
    ...['{"k": 8}', 'operational', false, 0, null],
  ]);
});

test('two exports at once, and many after one another, leave every row once', async ({ context }) => {
  await store(
    context,
    ...Array.from({ length: 50 }, (_, number) => checkAt(number, `2026-11-0${1 + (number % 3)}T10:00:00Z`)),
  );
  const results = await Promise.all([1, 2, 3].map(() => invoke('exportChecks', {}, context)));
  assert.equal(results.map(({ rows }) => rows).sort(), [0, 0, 50]);
  for (let number = 50; number < 55; number += 1) {
    await store(context, checkAt(number, '2026-11-01T11:00:00Z'));
    assert.is((await invoke('exportChecks', {}, context)).rows, 1);
  }
  assert.equal(await lakeRows(context, 'SELECT count(*), count(DISTINCT run_id) FROM lake.rows'), [
    [55n, 55n],
  ]);
});

test('a check whose transaction is still open waits, with all that came after it, and is never missed', async ({
  context,
  database: { sql },
}) => {
  await store(context, checkAt(1, '2026-11-01T10:00:00Z'));
  const other = await sql.reserve();
  await other`begin`;
  const { lo } = (await other`select pg_current_xact_id()::text as lo`)[0] ?? {};
  await store(context, checkAt(2, '2026-11-01T11:00:00Z'));
  const first = await invoke('exportChecks', {}, context);
  assert.is(first.rows, 1);
  assert.is(first.waiting, 1);
  assert.ok(BigInt(first.ranges[0]?.hi ?? 0) <= BigInt(lo));
  await other`select set_config('hx.env', 'local', true)`;
  await other`alter table checks disable trigger hx_append_only`;
  await other`insert into checks select (jsonb_populate_record(c, jsonb_build_object('run_id', gen_random_uuid(),
    'xid', pg_current_xact_id()::text))).* from checks c limit 1`;
  await other`commit`;
  other.release();
  const second = await invoke('exportChecks', {}, context);
  assert.equal([second.rows, second.waiting], [2, 0]);
  assert.equal(await lakeRows(context, COUNTS), [[3n, 3n]]);
});

/** Stores a user and gives him the checks, which nothing of hx does to stored ones. */
async function giveToUser({ sql }: State['database'], ...runIds: string[]): Promise<void> {
  await sql.begin(async (transaction) => {
    await transaction`select set_config('hx.env', 'local', true)`;
    await transaction`insert into users (email) values ('a@example.org')`;
    await transaction`alter table checks disable trigger hx_append_only`;
    await transaction`update checks set user_id = (select user_id from users) where run_id = any(${runIds})`;
    await transaction`alter table checks enable always trigger hx_append_only`;
  });
}

test('a changed check replaces the one in the lake, and a deleted user’s leave it', async ({
  context,
  database,
}) => {
  const checks = [1, 2, 3].map((number) => checkAt(number, `2026-11-0${number}T10:00:00Z`));
  const [first, second, third] = checks.map(({ run_id }) => run_id);
  await store(context, ...checks);
  await invoke('exportChecks', {}, context);
  await giveToUser(database, first ?? '', second ?? '');
  const changed = await invoke('exportChecks', {}, context);
  assert.equal(
    changed.days.map(({ date, rows, changed: count, deleted }) => [date, rows, count, deleted]),
    [
      ['2026-11-01', 1, 1, 0],
      ['2026-11-02', 1, 1, 0],
    ],
  );
  assert.equal(await lakeRows(context, COUNTS), [[3n, 3n]]);
  assert.equal(await lakeRows(context, 'SELECT revision FROM checks ORDER BY created_at'), [[1], [1], [0]]);
  const { write } = await context.lanes.database().then((opened) => ({ write: opened.write.bind(opened) }));
  await write((sql) => sql`delete from users`);
  const deleted = await invoke('exportChecks', {}, context);
  assert.equal(
    deleted.days.map(({ rows, deleted: count }) => [rows, count]),
    [
      [1, 1],
      [1, 1],
    ],
  );
  assert.equal(await lakeRows(context, 'SELECT run_id FROM checks'), [[third]]);
  for (const { name } of deleted.files) {
    if (existsSync(join(deleted.lake, name)))
      assert.not.match(readFileSync(join(deleted.lake, name), 'latin1'), /Claim \d/);
  }
});

test('the text of a deleted check goes at the next export when one died before it compacted', async ({
  context,
  database,
}) => {
  const check = checkAt(1, '2026-11-01T10:00:00Z');
  await store(context, check, checkAt(2, '2026-11-01T11:00:00Z'));
  await invoke('exportChecks', {}, context);
  await giveToUser(database, check.run_id);
  await (await context.lanes.database()).write((sql) => sql`delete from users`);
  // A manifest that cannot be read stops the compaction, and not the export.
  const manifest = join(context.settings.dataDir, 'exports', 'local', '_hx', 'manifest.json');
  writeFileSync(manifest, 'damaged');
  const stopped = await invoke('exportChecks', {}, context);
  assert.is(stopped.days[0]?.deleted, 1);
  assert.match(stopped.not_compacted ?? '', /manifest\.json is damaged\. .*hx export compact --env local/);
  const env = { ...database.variables, HX_DATA_DIR: context.settings.dataDir };
  const { exitCode, stderr } = await runHx(['export', 'checks', '--nightly', '--quiet'], { env });
  assert.is(exitCode, 1);
  assert.match(stderr, /^hx: Exported, but not compacted: .*manifest\.json is damaged\./);
  rmSync(manifest);
  const done = await invoke('exportChecks', {}, context);
  assert.equal([done.rows, done.not_compacted], [0, null]);
  const { compacted, replaced } = JSON.parse(readFileSync(manifest, 'utf8'));
  assert.equal([compacted.length, compacted[0].rows, replaced.length], [1, 1, 2]);
  assert.equal(await lakeRows(context, COUNTS), [[1n, 1n]]);
});

test('an export that died is carried on under the same names, whatever was written since', async ({
  context,
}) => {
  await store(context, checkAt(1, '2026-11-01T10:00:00Z'), checkAt(2, '2026-11-02T10:00:00Z'));
  const { files, ranges } = await invoke('exportChecks', {}, context);
  const [commit = ''] = filesOf(context, COMMITS);
  // As if killed before the second file, then before the first, then before the commit.
  for (const lost of [[files[1]?.name], [files[0]?.name, files[1]?.name], []]) {
    rmSync(join(context.settings.dataDir, 'exports', commit));
    for (const name of lost) rmSync(join(context.settings.dataDir, 'exports', name ?? ''));
    await store(context, checkAt(10 + lost.length, '2026-11-02T11:00:00Z'));
    const again = await invoke('exportChecks', {}, context);
    assert.equal(again.ranges[0], ranges[0]);
    assert.equal(again.files.slice(0, 2), files);
    assert.is(again.ranges.at(-1)?.rows, again.ranges.length === 1 ? 2 : 1);
  }
  assert.equal(await lakeRows(context, 'SELECT count(*), count(DISTINCT run_id) FROM lake.rows'), [[5n, 5n]]);
});

test('what an export of some days left undone is ended first, whatever days are asked for', async ({
  context,
}) => {
  await store(context, checkAt(1, '2026-11-01T10:00:00Z'), checkAt(2, '2026-11-02T10:00:00Z'));
  await invoke('exportChecks', { since: '2026-11-01', until: '2026-11-01' }, context);
  const [commit = ''] = filesOf(context, COMMITS);
  rmSync(join(context.settings.dataDir, 'exports', commit));
  const result = await invoke('exportChecks', {}, context);
  assert.equal(
    result.ranges.map(({ since, rows }) => [since, rows]),
    [
      ['2026-11-01', 1],
      [null, 1],
    ],
  );
  assert.equal(await lakeRows(context, 'SELECT count(*) FROM lake.rows'), [[2n]]);
});

test('files that an earlier schema version had begun, or ends too late, make way', async ({ context }) => {
  await store(context, checkAt(1, '2026-11-01T10:00:00Z'));
  const { files } = await invoke('exportChecks', {}, context);
  const exports = join(context.settings.dataDir, 'exports');
  const [commit = ''] = filesOf(context, COMMITS);
  rmSync(join(exports, commit));
  const name = files[0]?.name ?? '';
  const earlier = name.replace('x-s3-', 'x-s2-');
  writeFileSync(join(exports, earlier), readFileSync(join(exports, name)));
  rmSync(join(exports, name));
  await invoke('exportChecks', {}, context);
  assert.equal(filesOf(context, DATA), [earlier, name]);
  assert.equal(await lakeRows(context, 'SELECT count(*) FROM lake.rows'), [[1n]]);
  await invoke('exportCompact', {}, context);
  const clock = { ...context.clock, now: () => new Date('2026-11-04T07:00:00Z') };
  await invoke('exportCompact', {}, { ...context, clock });
  assert.equal(filesOf(context, DATA), [name]);
});

test('records of exports from before they were numbered are refused, and nothing is written', async ({
  context,
}) => {
  await store(context, checkAt(1, '2026-11-01T10:00:00Z'));
  const { instance } = await context.lanes.database();
  const folder = join(context.settings.dataDir, 'exports', 'local');
  const records = join(folder, '_hx', instance.slice(0, 8));
  const old: Record<string, string> = {
    'commits/0-10.json': '{}',
    'commits/0-10-2026-11-01-last.json': '{}',
    'ranges/0-2026-11-01-2026-11-02.json': '{}',
    'ranges/0.json': '{"lo": "0", "hi": "10", "since": null, "until": null, "schema_version": 3}',
  };
  for (const [name, text] of Object.entries(old)) {
    mkdirSync(dirname(join(records, name)), { recursive: true });
    writeFileSync(join(records, name), text);
    for (const command of ['exportChecks', 'exportVerify'] as const) {
      const error = await failure(invoke(command, {}, context));
      assert.is(error.code, 'failed', `${command} ${name}`);
      assert.match(error.message, `${folder} was written by an hx of before the first release`);
      assert.match(
        error.hint ?? '',
        /Move that folder away, then run hx export checks and hx export research/,
      );
    }
    assert.equal(filesOf(context, DATA), []);
    rmSync(records, { recursive: true });
  }
  const manifest = { generation: 1, compacted: [], replaced: [] };
  mkdirSync(join(folder, '_hx'), { recursive: true });
  writeFileSync(join(folder, '_hx', 'manifest.json'), JSON.stringify(manifest));
  const error = await failure(invoke('exportCompact', {}, context));
  assert.match(error.message, `${folder} was written by an hx of before the first release`);
});

test('a database that was put back to an earlier moment is refused', async ({ context }) => {
  await store(context, checkAt(1, '2026-11-01T10:00:00Z'));
  await invoke('exportChecks', {}, context);
  const exports = join(context.settings.dataDir, 'exports');
  const [commit = ''] = filesOf(context, COMMITS);
  const [intent = ''] = filesOf(context, /ranges.*json$/);
  const text = readFileSync(join(exports, commit), 'utf8');
  // An export without dates, one of some days, and one that has begun.
  for (const record of [
    commit.replace(/0-0-\d+\.json$/, '1-0-99999999999.json'),
    commit.replace(/0-0-\d+\.json$/, '1-0-99999999999-2026-11-01-2026-11-01.json'),
    intent.replace('0.json', '1.json'),
  ]) {
    writeFileSync(join(exports, record), JSON.stringify({ ...JSON.parse(text), slot: 1, hi: '99999999999' }));
    const before = filesOf(context, /json|parquet/);
    const error = await failure(invoke('exportChecks', {}, context));
    assert.is(error.code, 'conflict', record);
    assert.match(error.message, 'reach 99999999999: it was put back to an earlier moment');
    assert.equal(filesOf(context, /json|parquet/), before);
    rmSync(join(exports, record));
  }
});

/** The same environment and data folder over another database, empty but migrated. */
async function withOtherDatabase(context: Context, work: (other: Context) => Promise<void>): Promise<void> {
  const database = await createTestDatabase({ environment: 'local' });
  const settings = makeTestSettings({ DATABASE_URL: database.url, dataDir: context.settings.dataDir });
  const lanes = new Lanes(settings, context.signal, context.emit);
  try {
    await work({ ...context, settings, lanes });
  } finally {
    await lanes.close();
    await database.drop();
  }
}

test('another database of the environment is a chain of its own, and a check that two hold counts once', async ({
  context,
}) => {
  const shared = checkAt(1, '2026-11-01T10:00:00Z');
  const lost = checkAt(2, '2026-11-02T10:00:00Z');
  await store(context, shared, lost);
  await invoke('exportChecks', {}, context);
  const { instance } = await context.lanes.database();
  await withOtherDatabase(context, async (other) => {
    assert.is((await invoke('exportChecks', {}, other)).rows, 0);
    await store(other, shared, checkAt(3, '2026-11-02T11:00:00Z'));
    const result = await invoke('exportChecks', {}, other);
    assert.is(result.rows, 2);
    assert.is(result.ranges[0]?.lo, '0');
    assert.equal(result.others, [instance.slice(0, 8)]);
    assert.equal(await lakeRows(context, COUNTS), [[3n, 3n]]);
  });
  assert.equal(await lakeRows(context, 'SELECT count(*) FROM lake.shared'), [[4n]]);
});

test('one that is interrupted ends at once, also while the server lets it wait', async ({
  context,
  database,
}) => {
  await store(context, checkAt(1, '2026-11-01T10:00:00Z'));
  for (const name of ['exportChecks', 'exportVerify'] as const) {
    const controller = new AbortController();
    const reason = new HxError('interrupted', 'Interrupted.');
    await database.sql.begin(async (sql) => {
      await sql`lock table checks in access exclusive mode`;
      const error = failure(invoke(name, {}, { ...context, signal: controller.signal }));
      for (let waiting = false; !waiting; ) {
        const found = await sql`select 1 from pg_locks join pg_database on pg_database.oid = database
          where not granted and datname = current_database()`;
        waiting = found.length > 0;
      }
      controller.abort(reason);
      assert.is(await Promise.race([error, sleep(5_000)]), reason, name);
    });
  }
  assert.is((await invoke('exportChecks', {}, context)).rows, 1);
});

test('one whose statement takes longer than other sessions bear a silent server goes on', async ({
  context,
  database,
}) => {
  await store(context, checkAt(1, '2026-11-01T10:00:00Z'));
  const { setTimeout } = globalThis;
  const hurried = (work: () => void, ms?: number) => setTimeout(work, ms === 40_000 ? 1_000 : ms);
  globalThis.setTimeout = hurried as typeof setTimeout;
  try {
    const exporting = database.sql.begin(async (sql) => {
      await sql`lock table checks in access exclusive mode`;
      const started = invoke('exportChecks', {}, context);
      await Promise.race([started, sleep(3_000)]);
      return { started };
    });
    assert.is((await (await exporting).started).rows, 1);
  } finally {
    globalThis.setTimeout = setTimeout;
  }
});

test('progress counts checks', async ({ context }) => {
  await store(context, checkAt(1, '2026-11-01T10:00:00Z'), checkAt(2, '2026-11-02T10:00:00Z'));
  const counts: unknown[] = [];
  const emit: Context['emit'] = (event) => {
    if (event.type === 'progress') counts.push([event.what, event.done, event.total]);
  };
  await invoke('exportChecks', {}, { ...context, emit });
  assert.equal(counts, [
    ['checks', 1, 2],
    ['checks', 2, 2],
  ]);
});

test('the command prints the days, or one JSON value, and that there is nothing new', async ({
  context,
  dataDir,
  database,
}) => {
  await store(context, checkAt(1, '2026-11-01T10:00:00Z'));
  const env = { DATABASE_URL: database.url, HX_DATA_DIR: dataDir };
  const argv = ['export', 'checks', '--since', '2026-11-01', '--until', '2026-11-02'];
  const json = await runHx([...argv, '--json'], { env });
  assert.is(json.exitCode, 0, json.stderr);
  const value = JSON.parse(json.stdout);
  assert.is(value.rows, 1);
  assert.equal(value.days, [{ date: '2026-11-01', rows: 1, changed: 0, deleted: 0 }]);
  const again = await runHx(argv, { env });
  assert.match(
    again.stdout,
    'Nothing new: every check of local from 2026-11-01 to 2026-11-02 is in the lake.',
  );
  await store(context, checkAt(2, '2026-11-03T10:00:00Z'));
  const text = await runHx(['export', 'checks', '--nightly'], { env });
  assert.match(text.stdout, /2026-11-03 +1 +0 +0/);
  assert.match(text.stdout, /1 check of local in 1 file, \d+ bytes, in /);
  const all = await runHx(['export', 'checks', '--all'], { env });
  assert.match(all.stdout, 'Nothing new: every check of local is in the lake.');
});

test('dates that make no sense are usage errors, before anything is opened', async ({ context }) => {
  const inputs = [
    { since: '2026-02-30' },
    { since: 'yesterday' },
    { since: '0000-01-01' },
    { until: 'tomorrow' },
    { since: '2026-11-02', until: '2026-11-01' },
    { since: '2026-11-05' },
  ];
  for (const input of inputs) {
    const error = await failure(invoke('exportChecks', input, context));
    assert.is(error.code, 'usage', JSON.stringify(input));
    assert.is(error.exitCode, 2);
  }
  for (const all of ['--all', '--nightly']) {
    const both = await runHx(['export', 'checks', all, '--since', '2026-11-01'], { env: {} });
    assert.is(both.exitCode, 2);
  }
});

test('a database that does not answer is exit 3, and its password is never shown', async ({ dataDir }) => {
  const env = { DATABASE_URL: 'postgres://hx:open-sesame@127.0.0.1:9/hx', HX_DATA_DIR: dataDir };
  const { exitCode, stdout, stderr } = await runHx(['export', 'checks', '--since', '2026-11-01'], { env });
  assert.is(exitCode, 3, stderr);
  assert.not.match(stdout + stderr, 'open-sesame');
  assert.not.ok(existsSync(join(dataDir, 'exports')));
});

test.run();
