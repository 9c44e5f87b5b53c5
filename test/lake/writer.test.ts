import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { HxError } from '../../src/base/errors.js';
import { packagePath } from '../../src/base/paths.js';
import { writeRangeFile } from '../../src/lake/export/range-file.js';
import { exportsFolder } from '../../src/lake/files/partition.js';
import { LAKE_COLUMNS, type LakeRow, parquetSchema } from '../../src/lake/files/schema.js';
import { LocalStorage } from '../../src/lake/storage/local.js';
import { isRunThere } from '../../src/lake/writer.js';
import { makeTempFolder, removeFolder } from '../helpers.js';
import { lakeRow } from './rows.js';
import { appendRun, INSTANCE, writeRange } from './write.js';

interface State {
  dataDir: string;
  exportsDir: string;
}

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
    ['revision', null],
  ];
  for (const [column, value] of wrong) {
    const row = { ...lakeRow(4), [column]: value } as LakeRow;
    const error = await writeRange(exportsDir, [row]).then(
      () => assert.unreachable(`${column} ${value}`),
      (thrown: HxError) => thrown,
    );
    assert.is(error?.code, 'bug');
    assert.match(error?.message ?? '', column);
  }
  assert.equal(filesOf(exportsDir), []);
});

test('a range is named after its transactions and its database, and says where its rows come from', async ({
  exportsDir,
}) => {
  const rectangle = { lo: 750n, hi: 18_446_744_073_709_551_615n, since: null, until: null };
  const { path, rows, bytes } = await writeRange(exportsDir, [lakeRow(1), lakeRow(2)], {
    rectangle,
    part: { kind: 'u' },
  });
  assert.equal(filesOf(exportsDir), ['local/dt=2026-11-01/u-s3-1234abcd-750-18446744073709551615.parquet']);
  assert.is(rows, 2);
  assert.is(bytes, readFileSync(path).byteLength);
  const { key_value_metadata: pairs = [] } = parquetMetadata(bytesOf(path));
  assert.equal(Object.fromEntries(pairs.map(({ key, value }) => [key, value])), {
    'hx.schema_version': '3',
    'hx.env': 'local',
    'hx.instance': INSTANCE,
    'hx.binding': 'cluster:1/2',
    'hx.transactions': '750-18446744073709551615',
  });
});

test('a range that was published stays as it is, and another try says what is there', async ({
  exportsDir,
}) => {
  const first = await writeRange(exportsDir, [lakeRow(1), lakeRow(2)]);
  const again = await writeRange(exportsDir, [lakeRow(1)]);
  assert.equal(again, first);
  assert.equal(
    (await rowsOf(first.path)).map((row) => row['run_id']),
    [lakeRow(1).run_id, lakeRow(2).run_id],
  );
});

test('a range with other rows than were counted is not published', async ({ exportsDir }) => {
  for (const rows of [1, 3]) {
    const error = await writeRange(exportsDir, [lakeRow(1), lakeRow(2)], { part: { rows } }).then(
      () => assert.unreachable(),
      (thrown: HxError) => thrown,
    );
    assert.is(error?.code, 'bug');
  }
  assert.equal(filesOf(exportsDir), []);
});

test('a day of more than one row group keeps every row and every microsecond', async ({ exportsDir }) => {
  const start = BigInt(Date.UTC(2026, 10, 1)) * 1000n;
  const rows = Array.from({ length: 12_000 }, (_, index) => ({
    ...lakeRow(index),
    created_at: start + BigInt(index),
  }));
  const { path } = await writeRange(exportsDir, rows);
  const metadata = parquetMetadata(bytesOf(path));
  assert.equal(
    metadata.row_groups.map(({ num_rows }) => Number(num_rows)),
    [10_000, 2_000],
  );
  const columns = metadata.row_groups[0]?.columns ?? [];
  assert.ok(
    columns.every(({ meta_data }) => meta_data?.codec === 'ZSTD' && meta_data.statistics !== undefined),
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

test('a run that an earlier schema version wrote down counts as there', async ({ exportsDir }) => {
  const row = lakeRow(1);
  const storage = new LocalStorage(exportsDir);
  assert.not.ok(await isRunThere(storage, row));
  const folder = join(exportsDir, 'local', 'dt=2026-11-01');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `r-s1-${row.run_id}.parquet`), 'PAR1');
  assert.ok(await isRunThere(storage, row));
});

test('a source that fails leaves no file for its day', async ({ exportsDir }) => {
  async function* failing(): AsyncGenerator<LakeRow[]> {
    yield [lakeRow(1)];
    throw new Error('the connection broke');
  }
  const target = {
    storage: new LocalStorage(exportsDir),
    chain: { environment: 'local', instance: INSTANCE },
    rectangle: { lo: 0n, hi: 1n, since: null, until: null },
    binding: '',
    isOpen: async () => true,
  } as const;
  try {
    await writeRangeFile(target, { day: '2026-11-01', kind: 'x', rows: 2 }, failing());
    assert.unreachable();
  } catch (error) {
    assert.is((error as Error).message, 'the connection broke');
  }
  assert.equal(filesOf(exportsDir), []);
});

test('a writer killed in the middle leaves nothing that readers see', async ({ exportsDir }) => {
  const script = `
    import { lakeRow } from ${JSON.stringify(packagePath('test', 'lake', 'rows.ts'))};
    import { writeRangeFile } from ${JSON.stringify(packagePath('src', 'lake', 'export', 'range-file.ts'))};
    import { LocalStorage } from ${JSON.stringify(packagePath('src', 'lake', 'storage', 'local.ts'))};
    async function* endless() {
      for (let number = 0; ; number += 10_000) {
        yield Array.from({ length: 10_000 }, (_, index) => lakeRow(number + index));
        if (number > 0) process.stdout.write('row group written\\n');
      }
    }
    const target = { storage: new LocalStorage(process.argv[1]), chain: { environment: 'local', instance: '${INSTANCE}' },
      rectangle: { lo: 0n, hi: 1n, since: null, until: null }, binding: '', isOpen: async () => true };
    await writeRangeFile(target, { day: '2026-11-01', kind: 'x', rows: 10 }, endless());`;
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
  assert.match(files[0] ?? '', /x-s3-1234abcd-0-1\.parquet\.[0-9a-f-]+\.tmp$/);
});

test('a disk that fills in the middle of a file is named, and nothing of the file is left', ({
  exportsDir,
}) => {
  const script = `
    import { lakeRow } from ${JSON.stringify(packagePath('test', 'lake', 'rows.ts'))};
    import { writeRange } from ${JSON.stringify(packagePath('test', 'lake', 'write.ts'))};
    const rows = Array.from({ length: 12_000 }, (_, number) => lakeRow(number));
    await writeRange(process.argv[1], rows).catch(({ name, code, message, hint }) =>
      process.stdout.write(JSON.stringify({ name, code, message, hint })));`;
  // A limit of the shell's on every file stands for a disk that is full.
  const limited = 'ulimit -f 100; exec "$0" --import tsx --input-type=module --eval "$1" "$2"';
  const { stdout } = spawnSync('bash', ['-c', limited, process.execPath, script, exportsDir], {
    cwd: packagePath(),
  });
  const { name, code, message, hint } = JSON.parse(String(stdout));
  assert.equal([name, code], ['HxError', 'failed'], message);
  assert.match(message, join(exportsDir, 'local', 'dt=2026-11-01'));
  assert.match(hint, 'HX_DATA_DIR');
  assert.equal(filesOf(exportsDir), []);
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
