import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HxError } from '../../src/base/errors.js';
import { systemClock } from '../../src/base/time.js';
import { Accounts, type Context, Lanes } from '../../src/handlers/context.js';
import { writeGroups } from '../../src/handlers/export-files.js';
import { invoke } from '../../src/handlers/index.js';
import { BulkLoader } from '../../src/lake/bulk/loader.js';
import { LocalStorage } from '../../src/lake/storage/local.js';
import { withSnapshot } from '../../src/operational/export.js';
import { EXPORT_COLUMNS } from '../../src/rpl/record.js';
import { deadMark } from '../base/marks.js';
import { fillChecks } from '../bench/lake/sample-checks.js';
import { createTestDatabase, makeTempFolder, makeTestSettings, type TestDatabase } from '../helpers.js';

interface State {
  database: TestDatabase;
  context: Context;
  folder: string;
  abort: AbortController;
}

const test = suite<State>('bulk export');

test.before.each(async (state) => {
  state.database = await createTestDatabase({ environment: 'local' });
  state.folder = makeTempFolder();
  state.abort = new AbortController();
  const settings = makeTestSettings({ DATABASE_URL: state.database.url, dataDir: state.folder });
  const { signal } = state.abort;
  const emit = () => {};
  const lanes = new Lanes(settings, signal, emit);
  state.context = { settings, clock: systemClock, signal, emit, lanes, accounts: new Accounts() };
});
test.after.each(async ({ context, database }) => {
  await context.lanes.close();
  await database.drop();
});

/** Makes the values hard to carry: marks, line breaks, quotes, emptiness, extremes, and rows that were changed. */
const HARD_VALUES = `
  update checks set
    claim = (array['a "quote", a comma', E'two\\nlines\\r\\n', E'\\x1f \\x01 \\x02', '''', '\\N', '\\.', ' spaces ', 'emoji 🦆 é'])
      [1 + run_number % 8],
    model_resolved = (array[null, '', 'm', E'\\x01', E'\\r', E'\\n', E'\\u2028', E'\\x1f\\n\\x01\\x01'])[1 + run_number % 8],
    temperature = (array[0, 1e-300, 5e-324, 1.7976931348623157e308])[1 + run_number % 4],
    logit = (array['-0'::float8, 1e22, 0.1, -1.0000000000000002, 'NaN', 'Infinity', '-Infinity'])[1 + run_number % 7],
    bootstrap_seed = (array[0, 18446744073709551615, 9007199254740993])[1 + run_number % 3],
    cost_usd = (array[null, 0, 999999.999999, 0.000001])[1 + run_number % 4],
    tokens_in = (array[null, 0, 2147483647])[1 + run_number % 3],
    cached_from = case when run_number % 5 = 0 then run_id end, was_cached = run_number % 5 = 0,
    config_json = (array['{"a": "é \\n 🦆", "b": [1, null]}', '{}', '{"c": 1e400, "d": 12345678901234567890.123456789}'])[1 + run_number % 3]::jsonb,
    readouts_by_status_json = case when run_number % 2 = 0 then '{"valid": 16}'::jsonb end,
    model_changed = (array[null, true, false])[1 + run_number % 3],
    revision = (run_number % 4)::int / 3, deleted_at = case when run_number % 8 = 3 then now() end
  from (select run_id as id, row_number() over (order by run_id) as run_number from checks) numbered where id = run_id`;

async function makeHard({ sql }: TestDatabase): Promise<void> {
  await sql.begin(async (transaction) => {
    await transaction`alter table checks disable trigger all`;
    await transaction.unsafe(HARD_VALUES);
    await transaction`alter table checks enable trigger all`;
  });
}

test('both ways of writing give the same rows, whatever they hold', async ({ context, database, folder }) => {
  await fillChecks(database.sql, 3_000, 2);
  await makeHard(database);
  const opened = await context.lanes.database();
  const range = { lo: 0n, hi: 2n ** 63n, since: null, until: null };
  const selection = { range, without: [] };
  const write = (place: string, bulkFromRows: number) =>
    withSnapshot(opened, context.signal, async (snapshot) => {
      const target = {
        storage: new LocalStorage(join(folder, place)),
        chain: { environment: 'local', instance: opened.instance },
        rectangle: range,
        binding: 'cluster:1/2',
        isOpen: async () => true,
      } as const;
      return writeGroups(target, snapshot, selection, await snapshot.count(selection), context, bulkFromRows);
    });
  const [plain, bulk] = [await write('plain', Number.POSITIVE_INFINITY), await write('bulk', 0)];
  assert.is(plain.length, 4);
  assert.equal(
    bulk.map(({ name, rows }) => [name, rows]),
    plain.map(({ name, rows }) => [name, rows]),
  );
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const duckdb = await DuckDBInstance.create(':memory:');
  const connection = await duckdb.connect();
  const scan = (place: string) => `from '${join(folder, place, 'local', '*', '*.parquet')}'`;
  const ask = async (sql: string) => (await connection.runAndReadAll(sql)).getRowsJS();
  for (const [one, other] of [
    ['plain', 'bulk'],
    ['bulk', 'plain'],
  ] as const) {
    assert.equal(await ask(`${scan(one)} except all ${scan(other)}`), []);
  }
  assert.equal(await ask(`select count(*), count(distinct claim) ${scan('bulk')} where deleted_at is null`), [
    [2_625n, 7n],
  ]);
  assert.equal(
    await ask(`select distinct claim, claim_hash, config_json ${scan('bulk')} where deleted_at is not null`),
    [['', '', '{}']],
  );
  const stored = await database.sql`
    select run_id::text, claim, model_resolved, logit, bootstrap_seed::text, config_json::text from checks
    where deleted_at is null order by run_id`;
  assert.equal(
    await ask(`select run_id::varchar, claim, model_resolved, logit, bootstrap_seed::varchar, config_json
      ${scan('bulk')} where deleted_at is null order by run_id`),
    stored.map((row) => Object.values(row)),
  );
  // The columns are the same to readers that go by type or by field id.
  const shape = (place: string) =>
    ask(`select name, type, nullif(converted_type, 'INT_32'), field_id from parquet_schema('${join(folder, place, plain[0]?.name ?? '')}')
      where name not in ('root', 'duckdb_schema', 'bootstrap_seed')`);
  assert.equal(await shape('bulk'), await shape('plain'));
  const order = await ask(
    `select list(created_at) = list_sort(list(created_at)) from '${join(folder, 'bulk', bulk[0]?.name ?? '')}'`,
  );
  assert.equal(order, [[true]]);
  connection.closeSync();
  duckdb.closeSync();
});

function leftOvers(): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith('hx-load-'));
}

test('a large export goes through DuckDB, and leaves no pipe behind', async ({ context, database }) => {
  await fillChecks(database.sql, 10_500, 1);
  const killed = join(tmpdir(), `hx-load-${deadMark()}`);
  mkdirSync(killed);
  const before = leftOvers();
  const done: number[] = [];
  const emit: Context['emit'] = (event) => {
    if (event.type === 'progress') done.push(event.done);
  };
  const { rows, files } = await invoke('exportChecks', {}, { ...context, emit });
  assert.is(rows, 10_500);
  assert.not.ok(existsSync(killed), 'nor those of a killed export');
  assert.is(files.length, 1);
  assert.is(done.at(-1), 10_500);
  assert.equal(
    leftOvers().filter((name) => !before.includes(name)),
    [],
  );
  const result = await invoke(
    'query',
    { sql: 'select count(*), count(distinct run_id), sum(n_usable) from checks' },
    context,
  );
  const found: unknown[] = [];
  for await (const chunk of result.chunks) found.push(...chunk);
  result.close();
  const [stored] = await database.sql`select sum(n_usable)::int as usable from checks`;
  assert.equal(found.flat().map(Number), [10_500, 10_500, stored?.['usable']]);
});

/** Runs `work` while an export is under way; returns what became of the export. */
async function during({ context }: State, work: () => void): Promise<HxError | undefined> {
  let isTold = false;
  const emit: Context['emit'] = (event) => {
    if (event.type !== 'progress' || isTold) return;
    isTold = true;
    work();
  };
  return invoke('exportChecks', {}, { ...context, emit }).then(
    () => undefined,
    (error: HxError) => error,
  );
}

test('Ctrl-C in the middle of a file stops at once, and the next export makes the very same file', async (state) => {
  const { context, database, abort } = state;
  await fillChecks(database.sql, 10_500, 1);
  const reason = new HxError('interrupted', 'Ctrl-C');
  assert.is(await during(state, () => abort.abort(reason)), reason);
  const again = { ...context, signal: new AbortController().signal };
  const { rows, ranges } = await invoke('exportChecks', {}, again);
  assert.is(rows, 10_500);
  assert.is(ranges.length, 1);
});

test('a connection that breaks in the middle of a file is an error, and the next export makes the file', async (state) => {
  const { context, database } = state;
  await fillChecks(database.sql, 10_500, 1);
  const before = leftOvers();
  const kill = () =>
    void database.sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and query like 'copy %' and pid <> pg_backend_pid()`.execute();
  const error = await during(state, kill);
  assert.is(error?.code, 'unavailable', error?.message);
  assert.is((await invoke('exportChecks', {}, context)).rows, 10_500);
  assert.equal(
    leftOvers().filter((name) => !before.includes(name)),
    [],
  );
});

test('a load fails by whatever ended its source early, be it after whole rows or within one', async () => {
  const loader = await BulkLoader.open();
  const row = Buffer.from(`${'\u001f'.repeat(EXPORT_COLUMNS.length - 1)}\n`);
  try {
    for (const part of [Buffer.alloc(0), row, row.subarray(3)]) {
      const reason = new Error('the server met a damaged page');
      async function* source() {
        yield row;
        yield part;
        throw reason;
      }
      const count = (rows: string) => `CREATE OR REPLACE TEMP TABLE loaded AS FROM ${rows}`;
      const [outcome] = await Promise.allSettled([
        loader.load(source(), count, new AbortController().signal),
      ]);
      assert.is((outcome as PromiseRejectedResult).reason, reason);
    }
  } finally {
    await loader.close();
  }
});

test('a row that DuckDB does not take is named by its size, without its text', async (state) => {
  const { database } = state;
  await fillChecks(database.sql, 10_500, 1);
  await database.sql`alter table checks disable trigger all`;
  await database.sql`update checks set claim = repeat('x', 2200000), xid = default
    where run_id = (select min(run_id::text)::uuid from checks)`;
  const error = await during(state, () => undefined);
  assert.is(error?.message, 'A check takes more than 2097152 bytes, which no claim of hx does.');
  const statement = /by (select .*),/.exec(error?.hint ?? '')?.[1] ?? '';
  const [longest] = await database.sql.unsafe(statement);
  assert.match(String(longest?.['run_id']), /^00000001-/);
});

test('a full disk is said, and nothing of the file is left', async (state) => {
  if (process.getuid?.() !== 0) return;
  const { context, database, folder } = state;
  const disk = join(folder, 'exports');
  const mounted = spawnSync('sh', ['-c', `mkdir -p ${disk} && mount -t tmpfs -o size=300k tmpfs ${disk}`]);
  if (mounted.status !== 0) return;
  try {
    await fillChecks(database.sql, 10_500, 1);
    const error = await during(state, () => undefined);
    assert.is(error?.code, 'failed');
    assert.match(error?.message ?? '', /space|No space|disk/i);
    assert.equal(
      readdirSync(disk, { recursive: true, encoding: 'utf8' }).filter((name) => /parquet/.test(name)),
      [],
    );
    spawnSync('mount', ['-o', 'remount,size=100m', disk]);
    assert.is((await invoke('exportChecks', {}, context)).rows, 10_500);
  } finally {
    spawnSync('umount', [disk]);
  }
});

test.run();
