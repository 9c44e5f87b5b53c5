import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HxError } from '../../../src/base/errors.js';
import type { Manifest } from '../../../src/lake/catalog/manifest.js';
import { CATALOG_NAME, refreshCatalogFile } from '../../../src/lake/engine/catalog-file.js';
import { type LakeEngine, openLakeEngine } from '../../../src/lake/engine/engine.js';
import { exportsFolder } from '../../../src/lake/files/partition.js';
import { makeTempFolder, removeFolder } from '../../helpers.js';
import { errorOf, runRows } from '../collect.js';
import { putFile } from '../files.js';
import { lakeRow } from '../rows.js';

interface State {
  dataDir: string;
  exportsDir: string;
  engine: LakeEngine;
}

const test = suite<State>('lake catalog');

test.before.each(async (state) => {
  state.dataDir = makeTempFolder();
  state.exportsDir = exportsFolder(state.dataDir);
  state.engine = await openLakeEngine({ dataDir: state.dataDir });
});
test.after.each(({ engine, dataDir }) => {
  engine.close();
  removeFolder(dataDir);
});

const at = (date: string, hour = 0) => new Date(`${date}T${String(hour).padStart(2, '0')}:00:00Z`);

function putManifest(exportsDir: string, environment: string, manifest: Partial<Manifest>): void {
  const folder = join(exportsDir, environment, '_hx');
  mkdirSync(folder, { recursive: true });
  const whole: Manifest = { generation: 1, compacted: [], replaced: [], covered: {}, ...manifest };
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(whole));
}

/** What puts a file of exported checks into the lake, each by its number and what else it is. */
function putChecks(exportsDir: string) {
  return (name: string, ...rows: Parameters<typeof lakeRow>[]) =>
    putFile(
      exportsDir,
      name,
      rows.map(([number, given]) =>
        lakeRow(number, { created_at: at('2026-11-01'), lane: 'operational', ...given }),
      ),
    );
}

const CLAIMS = 'SELECT claim, logit FROM checks ORDER BY claim, logit';

test('of an updated row the newest revision counts, a deleted row not at all, and only in its environment', async ({
  engine,
  exportsDir,
}) => {
  const put = putChecks(exportsDir);
  await put('x-s3-1234abcd-0-10.parquet', [1, {}], [2, {}], [3, {}], [4, {}]);
  await put('u-s3-1234abcd-10-20.parquet', [2, { logit: 2, revision: 1 }], [3, { logit: 2, revision: 1 }]);
  const deleted = { deleted_at: at('2026-11-02'), claim: '' };
  await put('u-s3-1234abcd-20-30.parquet', [2, { logit: 3, revision: 2 }], [4, { ...deleted, revision: 1 }]);
  await put('x-s3-1234abcd-0-10.parquet', [4, { env: 'production' }]);
  await putFile(exportsDir, 'r-s3-5.parquet', [lakeRow(5, { created_at: at('2026-11-02') })]);
  assert.equal(await runRows(engine, CLAIMS), [
    ['Claim 1.', 1],
    ['Claim 2.', 3],
    ['Claim 3.', 2],
    ['Claim 4.', 1],
    ['Claim 5.', 1],
  ]);
  assert.equal(await runRows(engine, `SELECT env FROM checks WHERE claim = 'Claim 4.'`), [['production']]);
});

test('a compacted file is read when the manifest lists it, and a replaced one no longer', async ({
  engine,
  exportsDir,
}) => {
  const created_at = at('2026-11-01');
  const rows = [1, 2, 3].map((number) => lakeRow(number, { created_at }));
  await putFile(exportsDir, 'r-s3-1.parquet', rows.slice(0, 1));
  await putFile(exportsDir, 'r-s3-2.parquet', rows.slice(1, 2));
  putManifest(exportsDir, 'local', { generation: 0 });
  await putFile(exportsDir, 'c-s3-1.parquet', rows.slice(0, 2));
  const claims = async () => (await runRows(engine, CLAIMS)).map(([claim]) => claim);
  assert.equal(await claims(), ['Claim 1.', 'Claim 2.'], 'before the manifest lists it');
  putManifest(exportsDir, 'local', {
    compacted: [{ name: 'dt=2026-11-01/c-s3-1.parquet', rows: 2, bytes: 1 }],
    replaced: [1, 2].map((run) => ({
      name: `dt=2026-11-01/r-s3-${run}.parquet`,
      at: '2026-11-02T00:00:00Z',
    })),
  });
  assert.equal(await claims(), ['Claim 1.', 'Claim 2.'], 'after it');
  await putFile(exportsDir, 'r-s3-3.parquet', rows.slice(2));
  assert.equal(await claims(), ['Claim 1.', 'Claim 2.', 'Claim 3.'], 'with a new run beside it');
  await putFile(exportsDir, 'r-s3-4.parquet', [lakeRow(4, { created_at: at('2026-11-02') })]);
  assert.equal((await claims()).length, 4, 'with another day');
  for (const run of [1, 2]) rmSync(join(exportsDir, 'local', 'dt=2026-11-01', `r-s3-${run}.parquet`));
  assert.equal((await claims()).length, 4, 'after the replaced ones are gone');
});

test('files of an exporter that was frozen are not read once their transactions were taken in, also by old views', async ({
  dataDir,
  engine,
  exportsDir,
}) => {
  const put = putChecks(exportsDir);
  await put('c-s3-1.parquet', [1], [2, { revision: 1, logit: 2 }]);
  await put('x-s3-1234abcd-20-30.parquet', [3]);
  putManifest(exportsDir, 'local', {
    compacted: [{ name: 'dt=2026-11-01/c-s3-1.parquet', rows: 2, bytes: 1 }],
    covered: { '2026-11-01': { '1234abcd': [['0', '20']] }, '2026-11-02': { '1234abcd': [['0', '20']] } },
  });
  const expected = [
    ['Claim 1.', 1],
    ['Claim 2.', 2],
    ['Claim 3.', 1],
  ];
  assert.equal(await runRows(engine, CLAIMS), expected);
  await refreshCatalogFile(dataDir);
  const [claims, unread] = [await catalogRows(dataDir), await runRows(engine, CLAIMS)];
  await put('x-s3-1234abcd-0-10.parquet', [1], [2]);
  await put('u-s3-1234abcd-10-20.parquet', [2, { revision: 1, logit: 2 }]);
  await put('x-s3-1234abcd-5-12.parquet', [1, { created_at: at('2026-11-02') }]);
  assert.equal(await catalogRows(dataDir), claims, 'by the views of before');
  assert.equal(await runRows(engine, CLAIMS), unread);
  await refreshCatalogFile(dataDir);
  assert.equal(await catalogRows(dataDir), claims);
  await put('x-s3-1234abcd-15-25.parquet', [4]);
  await put('x-s3-99999999-0-10.parquet', [1], [5]);
  const more = (await runRows(engine, CLAIMS)).map(([claim]) => claim);
  assert.equal(more, ['Claim 1.', 'Claim 2.', 'Claim 3.', 'Claim 4.', 'Claim 5.']);
});

test('a data folder may have any name, for queries and for the catalog of other tools', async () => {
  for (const name of [
    'what?',
    'st*r',
    'br[a-c]k',
    "quo'te",
    'dou"ble',
    'sp ace',
    'x=1?y=2',
    'Übung ✓',
    'per%20',
    '#; $d',
  ]) {
    const dataDir = join(makeTempFolder(), name, 'data');
    const exportsDir = exportsFolder(dataDir);
    await putFile(exportsDir, 'r-s3-1.parquet', [lakeRow(1)]);
    assert.ok(await refreshCatalogFile(dataDir), name);
    const row = [['Claim 1.', lakeRow(1).logit]];
    assert.equal(await catalogRows(dataDir), row, name);
    const engine = await openLakeEngine({ dataDir });
    assert.equal(await runRows(engine, CLAIMS), row, name);
    engine.close();
    assert.equal(readdirSync(dataDir).sort(), ['catalog.duckdb', 'catalog.sql', 'exports']);
    removeFolder(dirname(dirname(dataDir)));
  }
});

async function catalogRows(dataDir: string): Promise<unknown[][]> {
  const instance = await DuckDBInstance.create(join(dataDir, CATALOG_NAME), { access_mode: 'READ_ONLY' });
  const connection = await instance.connect();
  const reader = await connection.runAndReadAll(CLAIMS);
  connection.closeSync();
  instance.closeSync();
  return reader.getRowsJS();
}

test('a compacted file that is lost, damaged manifests and those of a newer hx are errors, not fewer rows', async ({
  engine,
  exportsDir,
}) => {
  await putFile(exportsDir, 'r-s3-1.parquet', [lakeRow(1)]);
  const compacted = (name: string) => ({ compacted: [{ name, rows: 1, bytes: 1 }] });
  putManifest(exportsDir, 'local', compacted('dt=2026-11-01/c-s3-9.parquet'));
  const lost = await errorOf(engine, CLAIMS);
  assert.match(lost.message, /A file of the lake is gone: .*c-s3-9\.parquet/);
  assert.match((lost as HxError).hint ?? '', /hx export verify/);
  putManifest(exportsDir, 'local', compacted('dt=2026-10-01/c-s99-9.parquet'));
  const { message, hint } = await errorOf(engine, CLAIMS);
  assert.match(message, /2026-10-01.*c-s99-9\.parquet/);
  assert.match(hint ?? '', /Update hx/);
  putManifest(exportsDir, 'local', {});
  const updates = join(exportsDir, 'local', 'dt=2026-11-01', 'u-s99-1234abcd-0-10.parquet');
  writeFileSync(updates, 'of a version to come');
  assert.match((await errorOf(engine, CLAIMS)).message, /2026-11-01.*u-s99-.*newer hx/);
  rmSync(updates);
  writeFileSync(join(exportsDir, 'local', '_hx', 'manifest.json'), '{"generation": 1, "compacted"');
  const damaged = await errorOf(engine, CLAIMS);
  assert.instance(damaged, HxError);
  assert.match(damaged.message, /manifest\.json is damaged/);
  await putFile(exportsDir, 'c-s3-9.parquet', [lakeRow(2)]);
  rmSync(join(exportsDir, 'local', '_hx', 'manifest.json'));
  assert.match((await errorOf(engine, CLAIMS)).message, /manifest\.json is gone/);
});

test('a row that two databases hold counts once, and only days that both exported pay for that', async ({
  engine,
  exportsDir,
}) => {
  const row = (number: number, date: string) =>
    lakeRow(number, { created_at: at(date), lane: 'operational' });
  await putFile(exportsDir, 'x-s3-1234abcd-0-10.parquet', [row(1, '2026-11-01'), row(2, '2026-11-01')]);
  await putFile(exportsDir, 'x-s3-1234abcd-0-10.parquet', [row(3, '2026-11-02')]);
  const joins = async () =>
    String((await runRows(engine, `EXPLAIN ${CLAIMS}`))[0]?.[1]).match(/HASH_JOIN|WINDOW/g) ?? [];
  assert.equal(await joins(), []);
  await putFile(exportsDir, 'x-s3-99999999-0-10.parquet', [row(2, '2026-11-01'), row(4, '2026-11-01')]);
  const claims = (await runRows(engine, CLAIMS)).map(([claim]) => claim);
  assert.equal(claims, ['Claim 1.', 'Claim 2.', 'Claim 3.', 'Claim 4.']);
  assert.equal(await runRows(engine, 'SELECT count(*) FROM lake.shared'), [[4n]]);
  assert.equal(await joins(), ['WINDOW']);
});

test('lake.rows tells the file of a row, also the first one of a single file', async ({
  engine,
  exportsDir,
}) => {
  const path = await putFile(exportsDir, 'r-s3-1.parquet', [lakeRow(1, { created_at: at('2026-11-01') })]);
  assert.equal(await runRows(engine, 'SELECT min(filename), max(filename) FROM lake.rows'), [[path, path]]);
  const later = await putFile(exportsDir, 'r-s3-2.parquet', [lakeRow(2, { created_at: at('2026-11-02') })]);
  assert.equal(await runRows(engine, 'SELECT min(filename), max(filename) FROM lake.rows'), [[path, later]]);
});

test('a filter on the day opens only its files, one on the environment none of the others', async ({
  engine,
  exportsDir,
}) => {
  for (const [number, date] of ['2026-11-01', '2026-11-02', '2026-11-03', '2026-11-03'].entries()) {
    await putFile(exportsDir, `r-s3-${number}.parquet`, [lakeRow(number, { created_at: at(date, number) })]);
  }
  await putFile(exportsDir, 'x-s3-1234abcd-0-10.parquet', [lakeRow(9, { env: 'production' })]);
  const plan = async (where: string) => {
    const rows = await runRows(
      engine,
      `EXPLAIN ANALYZE SELECT count(*), sum(logit) FROM checks WHERE ${where}`,
    );
    const text = String(rows[0]?.[1]).replace(/[│\s]+/g, ' ');
    return [...text.matchAll(/Total Files Read: (\d+)/g)].map((match) => Number(match[1]));
  };
  assert.equal(await plan(`env = 'local' AND dt = '2026-11-03'`), [2]);
  assert.equal(await plan(`env = 'production'`), [1]);
  assert.equal(await plan(`env = 'local' AND dt BETWEEN '2026-11-01' AND '2026-11-02'`), [2]);
  assert.equal(
    await runRows(
      engine,
      `SELECT dt::VARCHAR, count(*) FROM checks WHERE dt >= '2026-11-02' GROUP BY 1 ORDER BY 1`,
    ),
    [
      ['2026-11-02', 1n],
      ['2026-11-03', 2n],
    ],
  );
});

test.run();
