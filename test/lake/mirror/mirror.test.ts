import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { HxError } from '../../../src/base/errors.js';
import type { ProgressEvent } from '../../../src/base/events.js';
import type { Wanted } from '../../../src/lake/catalog/selection.js';
import { compact } from '../../../src/lake/compaction/compact.js';
import { openMirroredEngine } from '../../../src/lake/mirror/engine.js';
import { LakeMirror } from '../../../src/lake/mirror/mirror.js';
import type { S3Storage } from '../../../src/lake/storage/s3.js';
import { appendRun } from '../../../src/lake/writer.js';
import { deadMark, foreignMark } from '../../base/marks.js';
import { makeTempFolder, removeFolder } from '../../helpers.js';
import { runRows } from '../collect.js';
import { lakeRow } from '../rows.js';
import { bytesOf } from '../storage/contract.js';
import { type S3Server, startS3, storageAt } from '../storage/s3-server.js';

interface State {
  server: S3Server;
  dataDir: string;
  storage: S3Storage;
  events: ProgressEvent[];
  mirrorOf(wanted?: Wanted, limitBytes?: number): LakeMirror;
}

const test = suite<State>('lake mirror');
let prefixes = 0;

test.before(async (state) => {
  state.server = await startS3();
});
test.after(({ server }) => server.stop());
test.before.each(async (state) => {
  await state.server.set({});
  prefixes += 1;
  state.dataDir = makeTempFolder();
  state.storage = storageAt(state.server, `mirror-${prefixes}`, join(state.dataDir, 'staging'));
  state.events = [];
  state.mirrorOf = (wanted = {}, limitBytes = 1e9) =>
    new LakeMirror({
      storage: state.storage,
      dataDir: state.dataDir,
      limitBytes,
      wanted,
      emit: (event) => state.events.push(event),
    });
});
test.after.each(({ dataDir }) => removeFolder(dataDir));

const on = (number: number, day: string, given = {}) =>
  lakeRow(number, { created_at: new Date(`${day}T12:00:00.000Z`), ...given });

/** Files of a reader's lake. */
function seen(mirror: LakeMirror): string[] {
  const folder = join(mirror.dataDir, 'exports');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(folder, name)).isFile())
    .sort();
}

const parquetIn = (mirror: LakeMirror) => seen(mirror).filter((name) => name.endsWith('.parquet'));

/** The objects of which there are copies. */
function copiesIn(dataDir: string): string[] {
  return readdirSync(join(dataDir, 'lake-cache'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.includes('/files/') && name.includes('~'))
    .map((name) => name.replace(/^.*\/files\//, '').replace(/~.*/, ''))
    .sort();
}

const SQL = 'SELECT env, count(*), count(DISTINCT run_id) FROM checks GROUP BY env ORDER BY env';

test('a query over S3 sees every row of every environment, and a session those that come later', async ({
  storage,
  dataDir,
  events,
}) => {
  await appendRun(storage, on(1, '2026-11-01'));
  await appendRun(storage, on(2, '2026-11-02', { env: 'production' }));
  let now = 0;
  const clock = { now: () => new Date(), monotonicMs: () => now };
  const emit = (event: ProgressEvent) => events.push(event);
  const engine = await openMirroredEngine({ storage, dataDir, limitBytes: 1e9, wanted: {}, emit }, clock);
  try {
    const before = [
      ['local', 1n, 1n],
      ['production', 1n, 1n],
    ];
    assert.equal(await runRows(engine, SQL), before);
    const notes = events.flatMap((event) => (event.type === 'note' ? [event.message] : []));
    assert.is(notes.length, 1);
    assert.match(notes[0] ?? '', /^Fetched 2 files \(0\.0 MB\) of s3:\/\/hx-test-bucket\/mirror-\d+\.$/);
    await appendRun(storage, on(3, '2026-11-02'));
    assert.equal(await runRows(engine, SQL), before, 'fresh for a minute');
    now = 61_000;
    assert.equal(await runRows(engine, SQL), [
      ['local', 2n, 2n],
      ['production', 1n, 1n],
    ]);
  } finally {
    engine.close();
  }
  const [lake = '', ...others] = readdirSync(join(dataDir, 'lake-cache'));
  assert.equal(others, []);
  assert.equal(readdirSync(join(dataDir, 'lake-cache', lake, 'readers')), []);
});

test('only what is new is fetched', async ({ storage, server, mirrorOf }) => {
  for (let number = 0; number < 5; number += 1) await appendRun(storage, on(number, '2026-11-01'));
  const first = mirrorOf();
  assert.is((await first.sync()).fetchedFiles, 5);
  first.close();
  await appendRun(storage, on(9, '2026-11-02'));
  const second = mirrorOf();
  const before = (await server.counts())['GET'] ?? 0;
  const { files, fetchedFiles } = await second.sync();
  assert.equal({ files, fetchedFiles }, { files: 6, fetchedFiles: 1 });
  // Three manifests, three listings, one file.
  assert.is(((await server.counts())['GET'] ?? 0) - before, 7);
  assert.is((await second.sync()).fetchedFiles, 0);
  second.close();
});

test('days and environments that are not wanted are neither fetched nor seen', async ({
  storage,
  mirrorOf,
}) => {
  await appendRun(storage, on(1, '2026-11-01'));
  await appendRun(storage, on(2, '2026-11-02'));
  await appendRun(storage, on(3, '2026-11-03'));
  await appendRun(storage, on(4, '2026-11-02', { env: 'production' }));
  const daysOf = async (wanted: Wanted) => {
    const mirror = mirrorOf(wanted);
    await mirror.sync();
    const days = parquetIn(mirror).map((name) => name.split('/').slice(0, 2).join('/'));
    mirror.close();
    return days;
  };
  const [second, third] = ['local/dt=2026-11-02', 'local/dt=2026-11-03'];
  const production = 'production/dt=2026-11-02';
  assert.equal(await daysOf({ environments: ['production'] }), [production]);
  assert.equal(await daysOf({ since: '2026-11-02', environments: ['local'] }), [second, third]);
  assert.equal(await daysOf({ since: '2026-11-02', until: '2026-11-02' }), [second, production]);
  assert.is((await daysOf({})).length, 4);
});

test('what the manifest replaced or does not list is not seen, and a part of the lake gets its part of the manifest', async ({
  storage,
  mirrorOf,
}) => {
  for (const name of ['x-s3-1234abcd-0-9', 'u-s3-1234abcd-2-7', 'c-s3-1', 'c-s3-2']) {
    for (const day of ['2026-11-01', '2026-11-02']) {
      await storage.putIfAbsent(`local/dt=${day}/${name}.parquet`, bytesOf(name));
    }
  }
  const days = ['dt=2026-11-01', 'dt=2026-11-02'];
  const manifest = {
    generation: 1,
    compacted: days.map((day) => ({ name: `${day}/c-s3-1.parquet`, rows: 1, bytes: 6 })),
    replaced: days.map((day) => ({ name: `${day}/x-s3-1234abcd-0-9.parquet`, at: '2026-11-03T00:00:00Z' })),
    covered: { '2026-11-01': {}, '2026-11-02': { '1234abcd': [['0', '9']] } },
  };
  await storage.replace('local/_hx/manifest.json', bytesOf(JSON.stringify(manifest)), undefined);
  const mirror = mirrorOf({ since: '2026-11-02' });
  await mirror.sync();
  assert.equal(parquetIn(mirror), ['local/dt=2026-11-02/c-s3-1.parquet']);
  const shown = JSON.parse(
    readFileSync(join(mirror.dataDir, 'exports', 'local', '_hx', 'manifest.json'), 'utf8'),
  );
  assert.equal(shown, {
    generation: 1,
    compacted: [manifest.compacted[1]],
    replaced: [manifest.replaced[1]],
    covered: { '2026-11-02': manifest.covered['2026-11-02'] },
  });
  mirror.close();
});

test('a lake whose manifest lists a file that is nowhere is refused instead of read in part', async ({
  storage,
  mirrorOf,
}) => {
  const compacted = [{ name: 'dt=2026-11-01/c-s3-1.parquet', rows: 1, bytes: 6 }];
  const manifest = { generation: 1, compacted, replaced: [], covered: {} };
  await storage.replace('local/_hx/manifest.json', bytesOf(JSON.stringify(manifest)), undefined);
  const mirror = mirrorOf();
  const error = await mirror.sync().catch((thrown: HxError) => thrown);
  assert.instance(error, Error);
  assert.is((error as HxError).code, 'failed');
  mirror.close();
});

test('a lake that is compacted for the first time ever while it is looked at is read all the same', async ({
  storage,
  dataDir,
  mirrorOf,
}) => {
  for (const number of [1, 2, 3]) await appendRun(storage, on(number, '2026-11-01'));
  const mirror = mirrorOf();
  const list = storage.list.bind(storage);
  storage.list = async (folder) => {
    if (folder === 'local') {
      storage.list = list;
      await compact({ storage, dataDir, environment: 'local', urgency: 'any', now: () => new Date() });
    }
    return list(folder);
  };
  assert.is((await mirror.sync()).files, 1);
  assert.match(parquetIn(mirror)[0] ?? '', /c-s3-1\.parquet$/);
  mirror.close();
  await storage.remove('local/_hx/manifest.json');
  const lost = mirrorOf();
  const error = (await lost.sync().catch((thrown: HxError) => thrown)) as HxError;
  assert.match(error.message, /manifest\.json is gone/);
  lost.close();
});

test('a file that goes is gone from the reader and from the disk, one that comes again is fetched again', async ({
  storage,
  dataDir,
  mirrorOf,
}) => {
  await appendRun(storage, on(1, '2026-11-01'));
  await appendRun(storage, on(2, '2026-11-01'));
  const mirror = mirrorOf();
  await mirror.sync();
  const [first = '', second = ''] = parquetIn(mirror);
  await storage.remove(first);
  await mirror.sync();
  assert.equal(parquetIn(mirror), [second]);
  assert.equal(copiesIn(dataDir), [second]);
  await storage.remove(second);
  await storage.putIfAbsent(second, bytesOf('other content'));
  assert.is((await mirror.sync()).fetchedFiles, 1);
  assert.is(statSync(join(mirror.dataDir, 'exports', second)).size, 13);
  mirror.close();
});

test('the disk is bounded: the oldest days go first, and what does not fit is refused and not read in part', async ({
  storage,
  dataDir,
  mirrorOf,
}) => {
  const days = ['2026-11-01', '2026-11-02', '2026-11-03', '2026-11-04'];
  for (const day of days) await storage.putIfAbsent(`local/dt=${day}/r-s3-1.parquet`, new Uint8Array(1000));
  const refused = mirrorOf({}, 3_500);
  const error = (await refused.sync().catch((thrown) => thrown)) as HxError;
  assert.is(error.code, 'configuration');
  assert.match(error.hint ?? '', /--fetch-since.*HX_LAKE_CACHE_MB/);
  refused.close();
  const daysHere = async (wanted: Wanted) => {
    const mirror = mirrorOf(wanted, 2_500);
    await mirror.sync();
    mirror.close();
    return copiesIn(dataDir).map((name) => name.slice('local/dt='.length, 'local/dt=2026-11-01'.length));
  };
  assert.equal(await daysHere({ until: '2026-11-02' }), days.slice(0, 2));
  assert.equal(await daysHere({ since: '2026-11-03', until: '2026-11-03' }), days.slice(1, 3));
  assert.equal(await daysHere({ until: '2026-11-01' }), [days[0], days[2]]);
});

test('what a reader sees stays while another fetches, evicts and cleans', async ({
  storage,
  dataDir,
  mirrorOf,
}) => {
  await storage.putIfAbsent('local/dt=2026-11-01/r-s3-1.parquet', new Uint8Array(1000));
  await storage.putIfAbsent('local/dt=2026-11-02/r-s3-1.parquet', new Uint8Array(1000));
  const reader = mirrorOf({ until: '2026-11-01' }, 1_500);
  await reader.sync();
  const other = mirrorOf({ since: '2026-11-02' }, 1_500);
  await other.sync();
  assert.equal(copiesIn(dataDir), ['local/dt=2026-11-02/r-s3-1.parquet']);
  assert.equal(parquetIn(reader), ['local/dt=2026-11-01/r-s3-1.parquet']);
  assert.is(statSync(join(reader.dataDir, 'exports', 'local/dt=2026-11-01/r-s3-1.parquet')).size, 1000);
  reader.close();
  other.close();
});

test('a copy cut short, and what a killed reader left, are made good by the next', async ({
  storage,
  dataDir,
  mirrorOf,
}) => {
  await storage.putIfAbsent('local/dt=2026-11-01/r-s3-1.parquet', new Uint8Array(1000));
  const first = mirrorOf();
  await first.sync();
  first.close();
  const [lake = ''] = readdirSync(join(dataDir, 'lake-cache'));
  const folder = join(dataDir, 'lake-cache', lake, 'files', 'local', 'dt=2026-11-01');
  const [copy = ''] = readdirSync(folder);
  truncateSync(join(folder, copy), 400);
  const readers = join(dataDir, 'lake-cache', lake, 'readers');
  const [dead, foreign, old] = [deadMark(), foreignMark(), foreignMark()].map((mark) => {
    const path = join(readers, mark);
    mkdirSync(path);
    return path;
  }) as [string, string, string];
  const longAgo = new Date(Date.now() - 8 * 24 * 60 * 60 * 1000);
  utimesSync(old, longAgo, longAgo);
  const second = mirrorOf();
  assert.is((await second.sync()).fetchedFiles, 1);
  assert.is(statSync(join(folder, copy)).size, 1000);
  assert.equal(
    [dead, foreign, old].map((path) => existsSync(path)),
    [false, true, false],
  );
  second.close();
  rmSync(foreign, { recursive: true });
});

test('answers broken off in the middle are fetched again', async ({ server, storage, mirrorOf }) => {
  for (let number = 0; number < 20; number += 1) {
    await storage.putIfAbsent(`local/dt=2026-11-01/r-s3-${number}.parquet`, new Uint8Array(5000));
  }
  await server.set({ dropInside: 7, slowDown: 4, dropBefore: 3 });
  const mirror = mirrorOf();
  const whole = { files: 20, bytes: 100_000, fetchedFiles: 20, fetchedBytes: 100_000 };
  assert.equal(await mirror.sync(), whole);
  for (const name of parquetIn(mirror)) {
    assert.is(statSync(join(mirror.dataDir, 'exports', name)).size, 5000);
  }
  mirror.close();
});

test.run();
