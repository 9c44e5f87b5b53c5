import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { catalogViews } from '../../../src/lake/catalog/catalog.js';
import { readFailure } from '../../../src/lake/in-place/failures.js';
import { endpointOf } from '../../../src/lake/in-place/httpfs.js';
import { S3Listing } from '../../../src/lake/in-place/listing.js';
import type { S3Storage } from '../../../src/lake/storage/s3.js';
import { readS3Place } from '../../../src/lake/storage/s3-place.js';
import { appendRun } from '../../../src/lake/writer.js';
import { makeTempFolder, removeFolder } from '../../helpers.js';
import { lakeRow } from '../rows.js';
import { type S3Server, startS3, storageAt } from '../storage/s3-server.js';

interface State {
  server: S3Server;
  folder: string;
  storage: S3Storage;
}

const test = suite<State>('parts of reading in place');
let prefixes = 0;

test.before(async (state) => {
  state.server = await startS3();
});
test.after(({ server }) => server.stop());
test.before.each((state) => {
  prefixes += 1;
  state.folder = makeTempFolder();
  state.storage = storageAt(state.server, `parts-${prefixes}`, join(state.folder, 'staging'));
});
test.after.each(({ folder }) => removeFolder(folder));

const on = (number: number, day: string, given = {}) =>
  lakeRow(number, { created_at: new Date(`${day}T12:00:00.000Z`), ...given });

const place = (url: string, endpoint?: string, region = 'eu-west-1') =>
  readS3Place({
    url,
    accessKeyId: 'key',
    secretAccessKey: 'secret',
    sessionToken: undefined,
    region,
    endpoint,
  });

test('a listing is kept for a minute, and only what changed is new', async ({ storage }) => {
  let now = 0;
  const clock = { now: () => new Date(), monotonicMs: () => now };
  const listing = new S3Listing(storage, {}, clock);
  const first = await appendRun(storage, on(1, '2026-11-01'));
  const read = async () => {
    const environments = await listing.read();
    return environments.flatMap(({ partitions }) => partitions.flatMap(({ names }) => names)).length;
  };
  assert.is(await read(), 1);
  await appendRun(storage, on(2, '2026-11-02', { env: 'production' }));
  assert.is(await read(), 1, 'fresh for a minute');
  now = 61_000;
  assert.is(await read(), 2);
  const before = await listing.read();
  now = 200_000;
  assert.is(await listing.read(), before, 'the same array while nothing changes');
  await storage.remove(first);
  listing.expire();
  assert.is(await read(), 1);
  assert.is(listing.goneFiles, 1);
});

test('a listing that failed is made again by the next reader', async ({ server, storage }) => {
  await appendRun(storage, on(1, '2026-11-01'));
  const clock = { now: () => new Date(), monotonicMs: () => 0 };
  const listing = new S3Listing(storage, { environments: ['local'], since: '2026-11-01' }, clock);
  await server.set({ slowDown: 100 });
  const error = await listing.read().catch((thrown) => thrown);
  assert.is(error.code, 'unavailable');
  await server.set({});
  assert.is((await listing.read())[0]?.partitions.length, 1);
});

test('the views name each live file of a lake on S3, and find none by a pattern', async ({ storage }) => {
  for (const number of [1, 2, 3]) await appendRun(storage, on(number, `2026-11-0${number}`));
  const clock = { now: () => new Date(), monotonicMs: () => 0 };
  const listing = new S3Listing(storage, { since: '2026-11-02' }, clock);
  const [rows] = catalogViews(storage.url, await listing.read()).filter(({ name }) => name === 'lake.rows');
  assert.is(
    rows?.sql.match(/s3:\/\/hx-test-bucket\/parts-\d+\/local\/dt=2026-11-0[23]\/r-s3-[0-9a-f-]+\.parquet/g)
      ?.length,
    2,
  );
  assert.not.match(rows?.sql ?? '', /[*[]r|dt=\*|2026-11-01/);
});

test('httpfs gets the server as our own requests have it', () => {
  const cases: [Parameters<typeof place>, ReturnType<typeof endpointOf>][] = [
    [['s3://bucket/hx'], { endpoint: 's3.eu-west-1.amazonaws.com', style: 'vhost', usesTls: true }],
    [['s3://a.b.c/hx'], { endpoint: 's3.eu-west-1.amazonaws.com', style: 'path', usesTls: true }],
    [
      ['s3://bucket/hx', undefined, 'cn-north-1'],
      { endpoint: 's3.cn-north-1.amazonaws.com.cn', style: 'vhost', usesTls: true },
    ],
    [['s3://bucket', 'http://127.0.0.1:9000'], { endpoint: '127.0.0.1:9000', style: 'path', usesTls: false }],
    [
      ['s3://bucket/hx', 'https://bucket.example/s3/'],
      { endpoint: 'bucket.example/s3', style: 'path', usesTls: true },
    ],
  ];
  for (const [given, expected] of cases) assert.equal(endpointOf(place(...given)), expected);
});

test('what httpfs meets at a server is told in our words', () => {
  const at = place('s3://bucket/hx', 'http://127.0.0.1:9000');
  const told = (message: string, sql = 'FROM checks') =>
    readFailure(at, 's3://bucket/hx', new Error(message), sql);
  const file = 'http://127.0.0.1:9000/bucket/hx/local/dt%3D2026-11-01/c-s3-1.parquet';
  const gone = told(`HTTP Error: Unable to connect to URL "${file}": 404 (Not Found).`);
  assert.is(gone?.isGone, true);
  assert.is(
    gone?.error.message,
    'A file of the lake is gone: s3://bucket/hx/local/dt=2026-11-01/c-s3-1.parquet.',
  );
  const denied = told(
    `HTTP Error: HTTP GET error reading '${file}' in region 'eu-test-1' (HTTP 403 Forbidden)\n\nAuthentication Failure - ...`,
  );
  assert.is(denied?.error.code, 'credentials');
  assert.match(
    denied?.error.message ?? '',
    /^Cannot read s3:\/\/bucket\/hx\/local\/dt=2026-11-01\/c-s3-1\.parquet: this/,
  );
  assert.is(
    told(`HTTP Error: Unable to connect to URL "${file}": 503 (Service Unavailable).`)?.error.code,
    'unavailable',
  );
  const away = told(`IO Error: Could not establish connection error for HTTP HEAD to '${file}'`);
  assert.is(away?.error.code, 'unavailable');
  assert.match(
    away?.error.message ?? '',
    /127\.0\.0\.1:9000 cannot be reached: Could not establish connection\.$/,
  );
  assert.match(away?.error.hint ?? '', /HX_LAKE_READ=cache/);
  const name = 's3://bucket/hx/local/dt=2026-11-01/c-s3-1.parquet';
  const broken = `Invalid Input Error: No magic bytes found at end of file '${name}'`;
  assert.match(told(broken)?.error.message ?? '', /is damaged: No magic bytes/);
  assert.is(told(broken, `SELECT error('${name}')`), undefined);
  assert.is(told('Binder Error: Referenced column "x" not found in FROM clause!'), undefined);
  assert.is(told('INTERRUPT Error: Interrupted!'), undefined);
});

test.run();
