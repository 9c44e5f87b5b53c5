import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HxError } from '../../../src/base/errors.js';
import { readManifest, replaceManifest } from '../../../src/lake/catalog/manifest.js';
import { type CompactOptions, compact } from '../../../src/lake/compaction/compact.js';
import { type LakeEngine, openLakeEngine } from '../../../src/lake/engine/engine.js';
import { exportsFolder } from '../../../src/lake/files/partition.js';
import { LocalStorage } from '../../../src/lake/storage/local.js';
import type { LakeStorage } from '../../../src/lake/storage/storage.js';
import { deadMark } from '../../base/marks.js';
import { makeTempFolder, removeFolder, runHx } from '../../helpers.js';
import { runRows } from '../collect.js';
import { putFile } from '../files.js';
import { lakeRow } from '../rows.js';

interface State {
  dataDir: string;
  exportsDir: string;
  storage: LakeStorage;
  engine: LakeEngine;
  /** Compacts local, as of `now`. */
  run: (options?: Partial<CompactOptions>) => ReturnType<typeof compact>;
}

const test = suite<State>('lake compaction');
const DAY = 'dt=2026-11-01';
const NOW = new Date('2026-11-05T00:00:00Z');
const HOUR_MS = 3_600_000;
const later = (ms: number) => () => new Date(NOW.getTime() + ms);

test.before.each(async (state) => {
  state.dataDir = makeTempFolder();
  state.exportsDir = exportsFolder(state.dataDir);
  state.storage = new LocalStorage(state.exportsDir);
  state.engine = await openLakeEngine({ dataDir: state.dataDir });
  state.run = (options = {}) =>
    compact({
      storage: state.storage,
      dataDir: state.dataDir,
      environment: 'local',
      urgency: 'any',
      now: () => NOW,
      ...options,
    });
});
test.after.each(({ engine, dataDir }) => {
  engine.close();
  removeFolder(dataDir);
});

const at = (second: number, day = 1) => new Date(Date.UTC(2026, 10, day, 0, 0, second));

async function putRuns(exportsDir: string, numbers: readonly number[], day = 1): Promise<void> {
  for (const number of numbers) {
    const row = lakeRow(number, { created_at: at(500 - number, day), logit: number });
    await putFile(exportsDir, `r-s3-${row.run_id}.parquet`, [row]);
  }
}

const EVERY_ROW = 'SELECT * FROM checks ORDER BY env, run_id';
const range = (count: number) => Array.from({ length: count }, (_, index) => index);
const filesOf = (exportsDir: string, day = DAY) => readdirSync(join(exportsDir, 'local', day)).sort();
async function failure(work: Promise<unknown>): Promise<HxError> {
  try {
    await work;
  } catch (error) {
    return error as HxError;
  }
  throw new Error('It did not fail.');
}

test('days of small files of every schema version become one sorted file each, with the same rows', async ({
  engine,
  exportsDir,
  run,
}) => {
  await putRuns(
    exportsDir,
    range(20).map((number) => number + 10),
  );
  await putRuns(exportsDir, [50, 51], 2);
  await putRuns(exportsDir, [60], 3);
  for (const version of ['v1', 'v2']) {
    cpSync(fileURLToPath(new URL(`../${version}/`, import.meta.url)), join(exportsDir, 'local', DAY), {
      recursive: true,
    });
  }
  const before = await runRows(engine, EVERY_ROW);
  const result = await run();
  assert.equal(
    result?.days.map(({ date, files, rows, name }) => ({ date, files, rows, name })),
    [
      { date: '2026-11-01', files: 22, rows: 22, name: `local/${DAY}/c-s3-1.parquet` },
      { date: '2026-11-02', files: 2, rows: 2, name: 'local/dt=2026-11-02/c-s3-2.parquet' },
    ],
  );
  assert.is(before.length, 25);
  assert.equal(await runRows(engine, EVERY_ROW), before);
  const path = join(exportsDir, 'local', DAY, 'c-s3-1.parquet');
  const times = await runRows(engine, `SELECT created_at FROM '${path}'`);
  assert.equal(times, [...times].sort());
  assert.equal((await run())?.days, [], 'nothing is left to do');
});

test('a compacted file has the types, field ids and metadata that the writer gives, and another reader opens it', async ({
  engine,
  exportsDir,
  run,
}) => {
  await putRuns(exportsDir, range(3));
  const [written = ''] = filesOf(exportsDir);
  await run();
  const schemaOf = (name: string) =>
    runRows(
      engine,
      `SELECT name, type, repetition_type, logical_type, field_id
       FROM parquet_schema('${join(exportsDir, 'local', DAY, name)}') WHERE num_children IS NULL`,
    );
  const normal = (rows: unknown[][]) =>
    rows.map((row) => row.map((value) => String(value).replace(/^(None|StringType\(\)|UTF8)?$/, 'text')));
  assert.equal(normal(await schemaOf('c-s3-1.parquet')), normal(await schemaOf(written)));
  const file = await asyncBufferFromFile(join(exportsDir, 'local', DAY, 'c-s3-1.parquet'));
  const metadata = await parquetMetadataAsync(file);
  assert.ok(
    metadata.key_value_metadata?.some(({ key, value }) => key === 'hx.schema_version' && value === '3'),
  );
  assert.is(metadata.row_groups[0]?.columns[0]?.meta_data?.codec, 'ZSTD');
  const rows = await parquetReadObjects({ file, compressors });
  assert.equal(
    rows.map((row) => row['logit']),
    [2, 1, 0],
  );
  assert.equal(
    rows.map((row) => row['run_id']),
    [2, 1, 0].map((number) => lakeRow(number).run_id),
  );
  assert.is(rows[0]?.['config_json'], '{"k":8}');
});

test('of updated checks the newest stays, of deleted ones nothing; other databases keep theirs', async ({
  engine,
  exportsDir,
  run,
  storage,
}) => {
  const put = (name: string, ...rows: Parameters<typeof lakeRow>[]) =>
    putFile(
      exportsDir,
      name,
      rows.map(([number, given]) =>
        lakeRow(number, { created_at: at(number), lane: 'operational', ...given }),
      ),
    );
  const commit = (name: string) => storage.putIfAbsent(`local/_hx/${name}.json`, Buffer.from('{}'));
  await put('x-s3-1234abcd-0-10.parquet', [1, {}], [2, {}], [3, {}]);
  await put('x-s3-99999999-0-7.parquet', [7, {}]);
  await commit('1234abcd/commits/0-0-10');
  await commit('99999999/commits/0-0-7-2026-11-01-last');
  await run();
  assert.equal(JSON.parse(readFileSync(join(exportsDir, 'local/_hx/manifest.json'), 'utf8')).covered, {
    '2026-11-01': { '1234abcd': [['0', '10']], '99999999': [['0', '7']] },
  });
  await put('u-s3-1234abcd-10-20.parquet', [2, { logit: 2, revision: 1 }]);
  const tombstone = { deleted_at: at(0, 2), claim: '', revision: 1 };
  await put('u-s3-1234abcd-20-30.parquet', [2, { logit: 3, revision: 2 }], [3, tombstone]);
  for (const name of ['1-10-20', '2-20-30']) await commit(`1234abcd/commits/${name}`);
  const before = await runRows(engine, EVERY_ROW);
  assert.equal(await runRows(engine, 'SELECT claim, logit FROM checks ORDER BY 1'), [
    ['Claim 1.', 1],
    ['Claim 2.', 3],
    ['Claim 7.', 1],
  ]);
  const result = await run();
  assert.is(result?.days[0]?.files, 3);
  assert.is(result?.days[0]?.rows, 3);
  assert.equal(await runRows(engine, EVERY_ROW), before);
  assert.equal(await runRows(engine, "SELECT view_name FROM duckdb_views() WHERE view_name = 'updates'"), []);
});

test('a day whose rows were all deleted ends without a file', async ({
  engine,
  exportsDir,
  run,
  storage,
}) => {
  await putFile(exportsDir, 'u-s3-1234abcd-0-10.parquet', [
    lakeRow(1, { revision: 1, deleted_at: at(5, 3) }),
  ]);
  await storage.putIfAbsent('local/_hx/1234abcd/commits/0-0-10.json', Buffer.from('{}'));
  const result = await run();
  assert.equal(result?.days, [{ date: '2026-11-01', files: 1, rows: 0, name: null, bytes: 0 }]);
  assert.equal(await runRows(engine, EVERY_ROW), []);
  await run({ now: later(2 * HOUR_MS) });
  assert.equal(filesOf(exportsDir), []);
});

test('files of a range that is not committed stay, and the others of its database with them', async ({
  engine,
  exportsDir,
  run,
  storage,
}) => {
  const put = (name: string, number: number) =>
    putFile(exportsDir, name, [lakeRow(number, { created_at: at(number) })]);
  await put('x-s3-1234abcd-0-10.parquet', 1);
  await put('x-s3-1234abcd-10-20.parquet', 2);
  await put('x-s3-99999999-0-7.parquet', 3);
  await put('r-s3-4.parquet', 4);
  const commit = (name: string) => storage.putIfAbsent(`local/_hx/${name}.json`, Buffer.from('{}'));
  await commit('1234abcd/commits/0-0-10');
  await commit('1234abcd/commits/1-10-20-2026-11-02-last');
  await commit('99999999/commits/0-0-7');
  assert.is((await run())?.days[0]?.files, 2);
  assert.is((await runRows(engine, EVERY_ROW)).length, 4);
  await commit('1234abcd/commits/2-10-20');
  assert.is((await run())?.days[0]?.files, 3);
  assert.is((await runRows(engine, EVERY_ROW)).length, 4);
});

test('replaced files stay for the grace, then the next compaction removes them, and what dead ones left', async ({
  engine,
  exportsDir,
  run,
}) => {
  await putRuns(exportsDir, range(3));
  const small = filesOf(exportsDir);
  await run();
  assert.equal(filesOf(exportsDir), ['c-s3-1.parquet', ...small]);
  // As a compaction leaves them that was killed before its swap, and one killed while writing.
  cpSync(join(exportsDir, 'local', DAY, 'c-s3-1.parquet'), join(exportsDir, 'local', DAY, 'c-s3-7.parquet'));
  writeFileSync(join(exportsDir, 'local', DAY, `c-s3-8.parquet.${deadMark()}.tmp`), 'half');
  const spilled = join(dirname(exportsDir), `.spill-${deadMark()}`);
  mkdirSync(spilled);
  await putRuns(exportsDir, [3]);
  assert.is((await runRows(engine, EVERY_ROW)).length, 4);
  const soon = await run({ now: later(HOUR_MS / 2) });
  assert.is(soon?.days[0]?.name, `local/${DAY}/c-s3-8.parquet`);
  assert.equal([soon?.removed, soon?.kept], [0, 5]);
  assert.not.ok(existsSync(spilled));
  assert.not.ok(existsSync(join(exportsDir, 'local', DAY, 'c-s3-7.parquet')));
  assert.is(filesOf(exportsDir).length, 6, filesOf(exportsDir).join(' '));
  const end = await run({ now: later(2 * HOUR_MS) });
  assert.equal([end?.removed, end?.kept], [5, 0]);
  assert.equal(filesOf(exportsDir), ['c-s3-8.parquet']);
  assert.is((await runRows(engine, EVERY_ROW)).length, 4);
});

test('an exported file that comes once more after it was removed counts nowhere, and goes after the grace', async ({
  engine,
  exportsDir,
  run,
  storage,
}) => {
  const put = (name: string, number: number, given = {}) =>
    putFile(exportsDir, name, [lakeRow(number, { created_at: at(number), lane: 'operational', ...given })]);
  const commit = (name: string) => storage.putIfAbsent(`local/_hx/${name}.json`, Buffer.from('{}'));
  await put('x-s3-1234abcd-0-10.parquet', 1);
  await put('x-s3-1234abcd-20-30.parquet', 2);
  await put('u-s3-99999999-0-10.parquet', 3, { revision: 1, deleted_at: at(9) });
  for (const name of ['0-0-10', '1-10-20', '2-20-30']) await commit(`1234abcd/commits/${name}`);
  await commit('99999999/commits/0-0-10');
  await run();
  await run({ now: later(2 * HOUR_MS) });
  assert.equal(filesOf(exportsDir), ['c-s3-1.parquet']);
  const before = await runRows(engine, EVERY_ROW);
  // The range from 10 to 20 had no file when it was committed: its rows were changed and are in later ones.
  await put('x-s3-1234abcd-0-10.parquet', 1);
  await put('x-s3-1234abcd-10-20.parquet', 2);
  await put('x-s3-99999999-0-10.parquet', 3);
  assert.equal(await runRows(engine, EVERY_ROW), before);
  const found = await run({ now: later(3 * HOUR_MS) });
  assert.equal([found?.days, found?.removed, found?.kept], [[], 0, 3]);
  const gone = await run({ now: later(5 * HOUR_MS) });
  assert.equal([gone?.removed, gone?.kept], [3, 0]);
  assert.equal(filesOf(exportsDir), ['c-s3-1.parquet']);
  assert.equal(await runRows(engine, EVERY_ROW), before);
  await put('x-s3-1234abcd-30-40.parquet', 4);
  await commit('1234abcd/commits/3-30-40');
  assert.is((await run())?.days[0]?.rows, 3, 'what is new is taken in');
});

test('days that are over are compacted by themselves once they have many small files together', async ({
  exportsDir,
  run,
}) => {
  const days = async (now: Date) =>
    (await run({ urgency: 'many', now: () => now }))?.days.map(({ date }) => date);
  await putRuns(exportsDir, range(30), 1);
  await putRuns(exportsDir, range(30), 2);
  await putRuns(exportsDir, range(8), 3);
  await putRuns(exportsDir, range(30), 4);
  assert.equal(await days(at(0, 4)), [], 'today and a day with few files do not count');
  assert.equal(await days(at(0, 5)), ['2026-11-01', '2026-11-02', '2026-11-04']);
  await putRuns(exportsDir, [99], 1);
  assert.equal(await days(at(0, 6)), []);
});

test('by itself only a day with many small files is compacted, and a large file is not written again for few rows', async ({
  engine,
  exportsDir,
  run,
}) => {
  await putRuns(exportsDir, range(64));
  await putRuns(exportsDir, range(3), 2);
  assert.equal((await run({ urgency: 'many', now: () => at(0) }))?.days, []);
  await putRuns(exportsDir, [64]);
  const first = await run({ urgency: 'many' });
  assert.equal([first?.days.length, first?.days[0]?.rows], [1, 65]);
  await putRuns(
    exportsDir,
    range(65).map((number) => number + 100),
  );
  assert.is((await run({ urgency: 'many' }))?.days[0]?.rows, 130, 'a small compacted file is merged too');
  const large = range(20_000).map((number) =>
    lakeRow(number + 1_000, { claim: `Claim ${number} ${'x'.repeat(99)}` }),
  );
  await putFile(exportsDir, 'r-s3-large.parquet', large);
  await run();
  await putRuns(
    exportsDir,
    range(65).map((number) => number + 200),
  );
  assert.is((await run({ urgency: 'many' }))?.days[0]?.rows, 65);
  assert.equal(await runRows(engine, `SELECT count(*) FROM checks WHERE dt = '2026-11-01'`), [[20_195n]]);
  assert.is((await run())?.days[0]?.rows, 20_195);
});

test('one compaction at a time: a second waits, or lets it be', async ({ engine, exportsDir, run }) => {
  await putRuns(exportsDir, range(5));
  let waited = 0;
  const [first, second, third] = await Promise.all([
    run({ onWait: () => {} }),
    run({ onWait: () => (waited += 1) }),
    run(),
  ]);
  assert.equal([first?.days.length, second?.days.length, third], [1, 0, undefined]);
  assert.is(waited, 1);
  assert.is((await runRows(engine, EVERY_ROW)).length, 5);
});

test('whoever finds that another machine was faster changes nothing', async ({
  engine,
  exportsDir,
  run,
  storage,
}) => {
  await putRuns(exportsDir, range(5));
  const other: LakeStorage = Object.create(storage, {
    replace: {
      value: async (name: string, bytes: Uint8Array, tag: string | undefined) => {
        const before = await readManifest(storage, 'local');
        await replaceManifest(storage, 'local', before, { ...before.manifest, generation: 1 });
        return storage.replace(name, bytes, tag);
      },
    },
  });
  const error = await failure(run({ storage: other }));
  assert.is(error.code, 'failed');
  assert.match(error.message, /Another machine/);
  assert.is((await runRows(engine, EVERY_ROW)).length, 5);
  assert.is((await run())?.days[0]?.name, `local/${DAY}/c-s3-2.parquet`);
  assert.not.ok(filesOf(exportsDir).includes('c-s3-1.parquet'));
});

test('whoever meets the first compaction ever of another machine says so, and no manifest is missed', async ({
  exportsDir,
  run,
  storage,
}) => {
  await putRuns(exportsDir, range(5));
  const other: LakeStorage = Object.create(storage, {
    list: {
      value: async (folder: string) => {
        if (!existsSync(join(exportsDir, 'local', DAY, 'c-s3-1.parquet'))) {
          const elsewhere = makeTempFolder();
          await run({ dataDir: elsewhere });
          removeFolder(elsewhere);
        }
        return storage.list(folder);
      },
    },
  });
  const error = await failure(run({ storage: other }));
  assert.match(error.message, /Another machine/);
  assert.is((await run({ storage: other }))?.days.length, 0);
});

test('without its manifest nothing is compacted or removed, as the compacted files would go', async ({
  exportsDir,
  run,
}) => {
  await putRuns(exportsDir, range(5));
  await run();
  await putRuns(
    exportsDir,
    range(5).map((number) => number + 5),
  );
  rmSync(join(exportsDir, 'local', '_hx', 'manifest.json'));
  const before = filesOf(exportsDir);
  const { code, message, hint = '' } = await failure(run({ graceMs: 0 }));
  assert.is(code, 'failed');
  assert.match(message, `local/_hx/manifest.json is gone, but local/${DAY}/c-s3-1.parquet is there.`);
  assert.match(hint, /docs\/exports\.md/);
  assert.equal(filesOf(exportsDir), before);
});

test('a damaged file stops its day and is named; the days before stay compacted', async ({
  exportsDir,
  run,
}) => {
  await putRuns(exportsDir, range(3));
  await putRuns(exportsDir, range(3), 2);
  writeFileSync(join(exportsDir, 'local', 'dt=2026-11-02', 'r-s3-broken.parquet'), 'PAR1 not really PAR1');
  const error = await failure(run());
  assert.is(error.code, 'failed');
  assert.match(error.message, /Cannot compact local 2026-11-02: .*r-s3-broken\.parquet/);
  assert.match(error.hint ?? '', /as they were/);
  assert.ok(filesOf(exportsDir).includes('c-s3-1.parquet'));
  assert.is(filesOf(exportsDir, 'dt=2026-11-02').length, 4);
});

test('an interrupted compaction leaves the day as it was', async ({ engine, exportsDir, run }) => {
  await putRuns(exportsDir, range(3));
  const before = filesOf(exportsDir);
  const reason = new HxError('interrupted', 'Ctrl-C');
  assert.is(await failure(run({ signal: AbortSignal.abort(reason) })), reason);
  assert.equal(filesOf(exportsDir), before);
  assert.is((await runRows(engine, EVERY_ROW)).length, 3);
});

test('the command says what it did, takes days, and refuses what is no day', async ({
  dataDir,
  exportsDir,
}) => {
  await putRuns(exportsDir, range(3));
  await putRuns(exportsDir, range(3), 2);
  const env = { HX_DATA_DIR: dataDir };
  const one = await runHx(['export', 'compact', '--day', '2026-11-02', '--json'], { env });
  assert.is(one.exitCode, 0, one.stderr);
  const { env: environment, days, removed, kept } = JSON.parse(one.stdout);
  assert.equal([environment, days.length, days[0].date, removed, kept], ['local', 1, '2026-11-02', 0, 3]);
  const all = await runHx(['export', 'compact'], { env });
  assert.match(all.stdout, /2026-11-01 +3 +3 +\d+ +local\/dt=2026-11-01\/c-s3-2\.parquet/);
  assert.match(all.stdout, /6 replaced files can be removed after an hour\./);
  assert.match((await runHx(['export', 'compact'], { env })).stdout, /is one file already/);
  const wrong = await runHx(['export', 'compact', '--day', 'today'], { env });
  assert.is(wrong.exitCode, 2);
  assert.match(wrong.stderr, /--day "today" is not a date/);
  mkdirSync(join(dataDir, 'empty'));
  const empty = await runHx(['export', 'compact'], { env: { HX_DATA_DIR: join(dataDir, 'empty') } });
  assert.is(empty.exitCode, 0, empty.stderr);
});

test('other tools read the same by catalog.duckdb, which is replaced when its views would miss files', async ({
  dataDir,
  exportsDir,
}) => {
  await putRuns(exportsDir, range(3));
  const env = { HX_DATA_DIR: dataDir };
  const claims = async () => {
    const instance = await DuckDBInstance.create(join(dataDir, 'catalog.duckdb'), {
      access_mode: 'READ_ONLY',
    });
    const connection = await instance.connect();
    const reader = await connection.runAndReadAll('SELECT claim FROM checks_local ORDER BY 1');
    connection.closeSync();
    instance.closeSync();
    return reader.getRowsJS().map(([claim]) => claim);
  };
  await runHx(['export', 'compact'], { env });
  assert.equal(await claims(), ['Claim 0.', 'Claim 1.', 'Claim 2.']);
  const before = statSync(join(dataDir, 'catalog.duckdb')).ino;
  await runHx(['export', 'compact'], { env });
  assert.is(statSync(join(dataDir, 'catalog.duckdb')).ino, before, 'not written again');
  await putRuns(exportsDir, [3], 2);
  await putRuns(exportsDir, [4]);
  for (const kind of ['duckdb', 'sql']) {
    writeFileSync(join(dataDir, `catalog.${kind}.${deadMark()}.tmp`), 'of a killed one');
  }
  await runHx(['export', 'compact'], { env });
  assert.is((await claims()).length, 5);
  assert.equal(readdirSync(dataDir).sort(), ['catalog.duckdb', 'catalog.sql', 'exports']);
  rmSync(join(exportsDir, 'local', DAY, 'c-s3-2.parquet'));
  await putRuns(exportsDir, [5], 3);
  await putRuns(exportsDir, [6], 3);
  const { stderr } = await runHx(['export', 'compact'], { env });
  assert.match(
    stderr,
    /catalog\.duckdb, which only other tools read: A file of the lake is gone: .*\.parquet\. Run it/,
  );
  assert.not.match(stderr, /LINE|Error:/);
});

test.run();
