import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { HxError } from '../../src/base/errors.js';
import { packagePath } from '../../src/base/paths.js';
import { exportFileName, exportsFolder, otherInstances } from '../../src/lake/partition.js';
import { LAKE_COLUMNS, type LakeRow, parquetSchema, type WritableRow } from '../../src/lake/schema.js';
import { appendRun, isRunThere, replaceDays } from '../../src/lake/writer.js';
import { makeTempFolder, removeFolder } from '../helpers.js';
import { lakeRow } from './rows.js';

interface State {
  dataDir: string;
  exportsDir: string;
}

const INSTANCE = '1234abcd-0000-4000-8000-000000000001';
const OTHER_INSTANCE = '99999999-0000-4000-8000-000000000002';

const test = suite<State>('lake writer');

test.before.each((state) => {
  state.dataDir = makeTempFolder();
  state.exportsDir = exportsFolder(state.dataDir);
});
test.after.each(({ dataDir }) => removeFolder(dataDir));

function bytesOf(path: string): ArrayBuffer {
  const { buffer, byteOffset, byteLength } = readFileSync(path);
  return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
}

async function rowsOf(path: string): Promise<Record<string, unknown>[]> {
  return parquetReadObjects({ file: bytesOf(path) });
}

function filesOf(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(parquet|tmp)$/.test(name))
    .sort();
}

async function* batchesOf(...batches: WritableRow[][]): AsyncGenerator<WritableRow[]> {
  yield* batches;
}

test('a run becomes a file of its own, in the partition of its UTC day', async ({ exportsDir }) => {
  const row = lakeRow(1, { created_at: new Date('2026-11-01T23:59:59.999Z') });
  const { path } = await appendRun(exportsDir, row);
  assert.is(path, join(exportsDir, 'local', 'dt=2026-11-01', `r-s3-${row.run_id}.parquet`));
  assert.equal(filesOf(exportsDir), [`local/dt=2026-11-01/r-s3-${row.run_id}.parquet`]);
});

test('a file carries the columns of LAKE_COLUMNS in their order, and hyparquet reads every value back', async ({
  exportsDir,
}) => {
  const row = lakeRow(2);
  const { path } = await appendRun(exportsDir, row);
  const { schema } = parquetMetadata(bytesOf(path));
  assert.equal(
    schema.slice(1).map(({ name }) => name),
    LAKE_COLUMNS.map(({ name }) => name),
  );
  assert.ok(schema.slice(1).every(({ repetition_type }) => repetition_type === 'OPTIONAL'));
  assert.equal(
    schema.slice(1).map(({ type }) => type),
    parquetSchema()
      .slice(1)
      .map(({ type }) => type),
  );
  const [read = {}] = await rowsOf(path);
  for (const { name, type } of LAKE_COLUMNS) {
    if (type === 'uint64' || type === 'money') continue; // hyparquet turns decimals into floats
    assert.equal(read[name] ?? null, row[name], name);
  }
});

test('appending a run again leaves the file that is there', async ({ exportsDir }) => {
  await appendRun(exportsDir, lakeRow(3, { prob_true_rpl: 0.1 }));
  const { path } = await appendRun(exportsDir, lakeRow(3, { prob_true_rpl: 0.2 }));
  assert.is(filesOf(exportsDir).length, 1);
  assert.equal(
    (await rowsOf(path)).map((row) => row['prob_true_rpl']),
    [0.1],
  );
});

test('many runs at once, some of them twice, leave one whole file each', async ({ exportsDir }) => {
  const numbers = Array.from({ length: 40 }, (_, index) => index % 30);
  await Promise.all(numbers.map((number) => appendRun(exportsDir, lakeRow(number))));
  const files = filesOf(exportsDir);
  assert.is(files.length, 30);
  for (const file of files) assert.is((await rowsOf(join(exportsDir, file))).length, 1);
});

test('a value that its column cannot hold is refused by name, and nothing is left behind', async ({
  exportsDir,
}) => {
  const wrong: [keyof LakeRow, unknown][] = [
    ['tokens_in', 2 ** 31],
    ['k', 1.5],
    ['bootstrap_seed', 5],
    ['bootstrap_seed', 2n ** 64n],
    ['cost_usd', '0.0000001'],
    ['cost_usd', 'much'],
    ['claim', null],
  ];
  for (const [column, value] of wrong) {
    const row = { ...lakeRow(4), [column]: value } as LakeRow;
    try {
      await replaceDays(
        exportsDir,
        { environment: 'local', instance: INSTANCE, days: ['2026-11-01'] },
        batchesOf([row]),
      );
      assert.unreachable(`${column} ${value}`);
    } catch (error) {
      assert.is((error as HxError).code, 'bug');
      assert.match((error as HxError).message, column);
    }
  }
  assert.equal(filesOf(exportsDir), []);
});

test('a range becomes a file a day, replaces what the days had, and drops the file of a day without rows', async ({
  exportsDir,
}) => {
  const days = ['2026-11-01', '2026-11-02', '2026-11-03'];
  const on = (number: number, day: string) =>
    lakeRow(number, { created_at: new Date(`${day}T12:00:00.000Z`), lane: 'operational' });
  const range = { environment: 'local', instance: INSTANCE, days } as const;
  await replaceDays(
    exportsDir,
    range,
    batchesOf([on(1, '2026-11-01'), on(2, '2026-11-01')], [on(3, '2026-11-03')]),
  );
  assert.equal(filesOf(exportsDir), [
    'local/dt=2026-11-01/x-s3-1234abcd-2026-11-01.parquet',
    'local/dt=2026-11-03/x-s3-1234abcd-2026-11-03.parquet',
  ]);
  const second = await replaceDays(
    exportsDir,
    range,
    batchesOf([on(2, '2026-11-01')], [on(4, '2026-11-02')]),
  );
  assert.equal(filesOf(exportsDir), [
    'local/dt=2026-11-01/x-s3-1234abcd-2026-11-01.parquet',
    'local/dt=2026-11-02/x-s3-1234abcd-2026-11-02.parquet',
  ]);
  assert.equal(
    second.map(({ date, rows, removed }) => ({ date, rows, removed })),
    [
      { date: '2026-11-01', rows: 1, removed: false },
      { date: '2026-11-02', rows: 1, removed: false },
      { date: '2026-11-03', rows: 0, removed: true },
    ],
  );
});

test('an exported day replaces and removes what an earlier schema version left of it', async ({
  exportsDir,
}) => {
  const range = { environment: 'local', instance: INSTANCE, days: ['2026-11-01', '2026-11-02'] } as const;
  const leave = (day: string, instance: string) => {
    mkdirSync(join(exportsDir, 'local', `dt=${day}`), { recursive: true });
    writeFileSync(join(exportsDir, 'local', `dt=${day}`, exportFileName(day, instance, 1)), 'PAR1');
  };
  for (const day of range.days) leave(day, INSTANCE);
  leave('2026-11-02', OTHER_INSTANCE);
  const published = await replaceDays(exportsDir, range, batchesOf([lakeRow(1)]));
  assert.equal(filesOf(exportsDir), [
    'local/dt=2026-11-01/x-s3-1234abcd-2026-11-01.parquet',
    'local/dt=2026-11-02/x-s1-99999999-2026-11-02.parquet',
  ]);
  assert.equal(
    published.map(({ removed }) => removed),
    [false, true],
  );
});

test('a run that an earlier schema version wrote down counts as there', ({ exportsDir }) => {
  const row = lakeRow(1);
  assert.not.ok(isRunThere(exportsDir, row));
  const folder = join(exportsDir, 'local', 'dt=2026-11-01');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `r-s1-${row.run_id}.parquet`), 'PAR1');
  assert.ok(isRunThere(exportsDir, row));
});

test('a database replaces and removes only its own files, which say whose they are', async ({
  exportsDir,
}) => {
  const range = { environment: 'local', instance: INSTANCE, days: ['2026-11-01', '2026-11-02'] } as const;
  const other = { ...range, instance: OTHER_INSTANCE };
  const second = lakeRow(2, { created_at: new Date('2026-11-02T12:00:00.000Z') });
  await replaceDays(exportsDir, range, batchesOf([lakeRow(1), second]));
  assert.equal(await otherInstances(exportsDir, range), new Map());
  await replaceDays(exportsDir, other, batchesOf([lakeRow(3)]));
  await replaceDays(exportsDir, other, batchesOf());
  await replaceDays(exportsDir, other, batchesOf([lakeRow(3)]));
  const own = [
    'local/dt=2026-11-01/x-s3-1234abcd-2026-11-01.parquet',
    'local/dt=2026-11-02/x-s3-1234abcd-2026-11-02.parquet',
  ];
  const foreign = 'local/dt=2026-11-01/x-s3-99999999-2026-11-01.parquet';
  assert.equal(filesOf(exportsDir), [own[0], foreign, own[1]]);
  assert.equal(await otherInstances(exportsDir, range), new Map([['99999999', ['2026-11-01']]]));
  assert.equal(await otherInstances(exportsDir, other), new Map([['1234abcd', range.days]]));
  const { key_value_metadata: pairs = [] } = parquetMetadata(bytesOf(join(exportsDir, foreign)));
  assert.is(pairs.find(({ key }) => key === 'hx.instance')?.value, OTHER_INSTANCE);
});

test('a day of more than one row group keeps every row and every microsecond', async ({ exportsDir }) => {
  const start = BigInt(Date.UTC(2026, 10, 1)) * 1000n;
  async function* batches() {
    for (let batch = 0; batch < 6; batch += 1) {
      yield Array.from({ length: 2000 }, (_, index) => {
        const number = batch * 2000 + index;
        return { ...lakeRow(number), created_at: start + BigInt(number) };
      });
    }
  }
  const [day] = await replaceDays(
    exportsDir,
    { environment: 'local', instance: INSTANCE, days: ['2026-11-01'] },
    batches(),
  );
  const path = day?.path ?? '';
  const metadata = parquetMetadata(bytesOf(path));
  assert.equal(
    metadata.row_groups.map(({ num_rows }) => Number(num_rows)),
    [10_000, 2_000],
  );
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const reader = await connection.runAndReadAll(
    `SELECT count(DISTINCT run_id), max(epoch_us(created_at)) - min(epoch_us(created_at)) FROM '${path}'`,
  );
  assert.equal(reader.getRowsJS(), [[12_000n, 11_999n]]);
  connection.closeSync();
  instance.closeSync();
});

test('rows out of order or outside the range are refused instead of lost', async ({ exportsDir }) => {
  const late = lakeRow(1, { created_at: new Date('2026-11-02T00:00:00Z') });
  const early = lakeRow(2, { created_at: new Date('2026-11-01T00:00:00Z') });
  for (const rows of [[late, early], [lakeRow(3, { created_at: new Date('2026-12-01T00:00:00Z') })]]) {
    try {
      await replaceDays(
        exportsDir,
        { environment: 'local', instance: INSTANCE, days: ['2026-11-01', '2026-11-02'] },
        batchesOf(rows),
      );
      assert.unreachable();
    } catch (error) {
      assert.is((error as HxError).code, 'bug');
    }
  }
  assert.not.ok(filesOf(exportsDir).some((name) => name.endsWith('.tmp')));
});

test('a source that fails leaves no file for its day', async ({ exportsDir }) => {
  async function* failing(): AsyncGenerator<LakeRow[]> {
    yield [lakeRow(1)];
    throw new Error('the connection broke');
  }
  try {
    await replaceDays(
      exportsDir,
      { environment: 'local', instance: INSTANCE, days: ['2026-11-01'] },
      failing(),
    );
    assert.unreachable();
  } catch (error) {
    assert.is((error as Error).message, 'the connection broke');
  }
  assert.equal(filesOf(exportsDir), []);
});

test('a writer killed in the middle leaves nothing that readers see', async ({ exportsDir }) => {
  const script = `
    import { replaceDays } from ${JSON.stringify(packagePath('src', 'lake', 'writer.ts'))};
    import { lakeRow } from ${JSON.stringify(packagePath('test', 'lake', 'rows.ts'))};
    async function* endless() {
      for (let number = 0; ; number += 10_000) {
        const rows = Array.from({ length: 10_000 }, (_, index) => lakeRow(number + index, {
          created_at: new Date('2026-11-01T00:00:00Z') }));
        yield rows;
        if (number > 0) process.stdout.write('row group written\\n');
      }
    }
    await replaceDays(process.argv[1], { environment: 'local', instance: '${INSTANCE}', days: ['2026-11-01'] }, endless());`;
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '--eval', script, exportsDir],
    { cwd: packagePath(), stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exited;
  const files = filesOf(exportsDir);
  assert.is(files.length, 1);
  assert.match(files[0] ?? '', /x-s3-1234abcd-2026-11-01\.parquet\.[0-9a-f]{12}\.tmp$/);
});

test('the next writer removes what dead writers left, and nothing else', async ({ exportsDir }) => {
  const { path } = await appendRun(exportsDir, lakeRow(1));
  const folder = dirname(path);
  const old = join(folder, 'r-s3-dead.parquet.0123456789ab.tmp');
  const fresh = join(folder, 'r-s3-live.parquet.0123456789ab.tmp');
  const foreign = join(folder, 'notes.tmp');
  mkdirSync(folder, { recursive: true });
  for (const file of [old, fresh, foreign]) writeFileSync(file, 'half');
  const longAgo = new Date(Date.now() - 2 * 60 * 60 * 1000);
  for (const file of [old, foreign]) utimesSync(file, longAgo, longAgo);
  await appendRun(exportsDir, lakeRow(2));
  assert.not.ok(existsSync(old));
  assert.ok(existsSync(fresh));
  assert.ok(existsSync(foreign));
});

test('a folder that cannot be written is named', async ({ dataDir }) => {
  writeFileSync(join(dataDir, 'exports'), 'in the way');
  try {
    await appendRun(join(dataDir, 'exports'), lakeRow(1));
    assert.unreachable();
  } catch (error) {
    assert.is((error as HxError).code, 'failed');
    assert.match((error as HxError).message, join(dataDir, 'exports'));
  }
});

test.run();
