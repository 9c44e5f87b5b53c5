import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Settings } from '../../src/base/config.js';
import type { HxError } from '../../src/base/errors.js';
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

test('exports whole UTC days, both ends included, one file a day, and skips days without checks', async ({
  context,
}) => {
  const inside = [
    checkAt(1, '2026-11-01T00:00:00.000Z'),
    checkAt(2, '2026-11-01T23:59:59.999Z'),
    checkAt(3, '2026-11-03T12:00:00.000Z'),
  ];
  await store(
    context,
    checkAt(4, '2026-10-31T23:59:59.999Z'),
    ...inside,
    checkAt(5, '2026-11-04T00:00:00.000Z'),
  );
  const input = { since: '2026-11-01', until: '2026-11-03' };
  const result = await invoke('exportChecks', input, context);
  assert.is(result.env, 'local');
  assert.is(result.rows, 3);
  assert.equal(
    result.days.map(({ date, rows }) => [date, rows]),
    [
      ['2026-11-01', 2],
      ['2026-11-03', 1],
    ],
  );
  assert.ok(result.days.every(({ path, bytes }) => existsSync(path) && bytes > 0));
  assert.equal(
    await lakeRows(context, IDS),
    inside.map(({ run_id }) => [run_id]),
  );
});

test('every column arrives as it was stored, to the microsecond and the last digit', async ({ context }) => {
  const row = checkAt(1, '2026-11-01T00:00:00.000Z', {
    bootstrap_seed: 18_446_744_073_709_551_615n,
    cost_usd: '0.000001',
    tokens_out: null,
  });
  await store(context, row);
  const database = await context.lanes.database();
  const exact = await database.read(
    (sql) => sql`select created_at = timestamptz '2026-11-01 00:00:00Z' as same from checks`,
  );
  assert.is(exact[0]?.['same'], true);
  await invoke('exportChecks', { since: '2026-11-01' }, context);
  const [values = []] = await lakeRows(
    context,
    `SELECT created_at, bootstrap_seed, cost_usd, tokens_out, prob_true_rpl, config_json->>'$.k', lane, was_cached
     FROM checks`,
  );
  assert.equal(values, [
    ...['2026-11-01T00:00:00.000Z', '18446744073709551615', '0.000001', null, row.prob_true_rpl, '8'],
    ...['operational', false],
  ]);
});

test('repeating publishes nothing twice, and new checks of the day join it', async ({ context }) => {
  await store(context, checkAt(1, '2026-11-01T10:00:00Z'));
  await invoke('exportChecks', { since: '2026-11-01' }, context);
  await invoke('exportChecks', { since: '2026-11-01' }, context);
  await store(context, checkAt(2, '2026-11-01T11:00:00Z'));
  const { rows } = await invoke('exportChecks', { since: '2026-11-01' }, context);
  assert.is(rows, 2);
  assert.equal(await lakeRows(context, 'SELECT count(*) FROM checks'), [[2n]]);
});

test('two exports at once leave every row once', async ({ context }) => {
  await store(
    context,
    ...Array.from({ length: 50 }, (_, number) => checkAt(number, `2026-11-0${1 + (number % 3)}T10:00:00Z`)),
  );
  const results = await Promise.all(
    [1, 2, 3].map(() => invoke('exportChecks', { since: '2026-11-01' }, context)),
  );
  assert.equal(
    results.map(({ rows }) => rows),
    [50, 50, 50],
  );
  assert.equal(await lakeRows(context, 'SELECT count(*), count(DISTINCT run_id) FROM lake.rows'), [
    [50n, 50n],
  ]);
});

/** The same environment and data folder over another database, empty but migrated. */
async function withOtherDatabase(
  context: Context,
  work: (other: Context, notes: string[]) => Promise<void>,
): Promise<void> {
  const database = await createTestDatabase({ environment: 'local' });
  const settings = makeTestSettings({ DATABASE_URL: database.url, dataDir: context.settings.dataDir });
  const notes: string[] = [];
  const emit: Context['emit'] = (event) => {
    if (event.type === 'note') notes.push(event.message);
  };
  const lanes = new Lanes(settings, context.signal, emit);
  try {
    await work({ ...context, settings, emit, lanes }, notes);
  } finally {
    await lanes.close();
    await database.drop();
  }
}

test('checks of a database that was since made anew stay, and the export says so', async ({ context }) => {
  const lost = [checkAt(1, '2026-11-01T10:00:00Z'), checkAt(2, '2026-11-02T10:00:00Z')];
  await store(context, ...lost);
  await invoke('exportChecks', { since: '2026-11-01' }, context);
  const { instance } = await context.lanes.database();
  const short = instance.slice(0, 8);
  await withOtherDatabase(context, async (other, notes) => {
    const empty = await invoke('exportChecks', { since: '2026-11-01' }, other);
    assert.equal(empty.removed, []);
    assert.equal(await lakeRows(context, 'SELECT count(*) FROM checks'), [[2n]]);
    const added = checkAt(3, '2026-11-02T11:00:00Z');
    await store(other, added);
    const { others, rows } = await invoke('exportChecks', { since: '2026-11-02' }, other);
    assert.is(rows, 1);
    assert.equal(others, [{ instance: short, days: ['2026-11-02'] }]);
    assert.equal(
      await lakeRows(context, IDS),
      [...lost, added].map(({ run_id }) => [run_id]),
    );
    assert.equal(notes, [
      `2026-11-01 and 1 more day also hold checks of another database of local (instance ${short}).`,
      `2026-11-02 also holds checks of another database of local (instance ${short}).`,
    ]);
  });
});

test('a check that two databases hold counts once', async ({ context }) => {
  const shared = checkAt(1, '2026-11-01T10:00:00Z');
  await store(context, shared);
  await invoke('exportChecks', { since: '2026-11-01' }, context);
  await withOtherDatabase(context, async (other) => {
    await store(other, shared);
    await invoke('exportChecks', { since: '2026-11-01' }, other);
  });
  assert.equal(await lakeRows(context, 'SELECT count(*) FROM lake.shared'), [[2n]]);
  assert.equal(await lakeRows(context, IDS), [[shared.run_id]]);
});

test('--json prints one value, text a table with a total', async ({ context, database, dataDir }) => {
  await store(context, checkAt(1, '2026-11-01T10:00:00Z'));
  const env = { DATABASE_URL: database.url, HX_DATA_DIR: dataDir };
  const argv = ['export', 'checks', '--since', '2026-11-01', '--until', '2026-11-02'];
  const json = await runHx([...argv, '--json'], { env });
  assert.is(json.exitCode, 0, json.stderr);
  const value = JSON.parse(json.stdout);
  const { instance } = await context.lanes.database();
  const name = `x-s3-${instance.slice(0, 8)}-2026-11-01.parquet`;
  assert.is(value.rows, 1);
  assert.is(value.days[0].path, join(dataDir, 'exports', 'local', 'dt=2026-11-01', name));
  const text = await runHx(argv, { env });
  assert.match(text.stdout, /2026-11-01 +1 /);
  assert.match(text.stdout, '1 check of local from 2026-11-01 to 2026-11-02.');
});

test('dates that make no sense are usage errors, before anything is opened', async ({ context }) => {
  const inputs = [
    { since: '2026-02-30' },
    { since: 'yesterday' },
    { since: '2026-11-02', until: '2026-11-01' },
    { since: '2026-11-05' },
    {},
  ];
  for (const input of inputs) {
    try {
      await invoke('exportChecks', input, context);
      assert.unreachable(JSON.stringify(input));
    } catch (error) {
      assert.is((error as HxError).code, 'usage', JSON.stringify(input));
      assert.is((error as HxError).exitCode, 2);
    }
  }
  const missing = await runHx(['export', 'checks'], { env: {} });
  assert.is(missing.exitCode, 2);
});

test('a database that does not answer is exit 3, and its password is never shown', async ({ dataDir }) => {
  const env = { DATABASE_URL: 'postgres://hx:open-sesame@127.0.0.1:9/hx', HX_DATA_DIR: dataDir };
  const { exitCode, stdout, stderr } = await runHx(['export', 'checks', '--since', '2026-11-01'], { env });
  assert.is(exitCode, 3, stderr);
  assert.not.match(stdout + stderr, 'open-sesame');
  assert.not.ok(existsSync(join(dataDir, 'exports')));
});

test.run();
