import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { HxError } from '../../../src/base/errors.js';
import type { LakeStorage } from '../../../src/lake/storage/storage.js';
import { makeTempFolder, removeFolder } from '../../helpers.js';
import { bytesOf, publish, testContract, textOf } from './contract.js';
import { BUCKET, IMPATIENT, type S3Server, startS3, storageAt } from './s3-server.js';

interface State {
  server: S3Server;
  prefix: string;
  staging: string;
  storage: LakeStorage;
}

const test = suite<State>('S3 storage');
let prefixes = 0;

test.before(async (state) => {
  state.server = await startS3();
});
test.after(({ server }) => server.stop());
test.before.each(async (state) => {
  await state.server.set({});
  prefixes += 1;
  state.prefix = `lake ${prefixes}/of+tests`;
  state.staging = join(makeTempFolder(), 'staging');
  state.storage = storageAt(state.server, state.prefix, state.staging);
});
test.after.each(({ staging }) => removeFolder(join(staging, '..')));

testContract(test);

async function failureOf(work: () => Promise<unknown>): Promise<HxError> {
  try {
    await work();
  } catch (error) {
    return error as HxError;
  }
  return assert.unreachable('nothing was thrown') as never;
}

function assertFailure(error: HxError, code: string, message: RegExp | string, hint: RegExp | string): void {
  assert.is(error.code, code, error.message);
  assert.match(error.message, message);
  assert.match(error.hint ?? '', hint);
}

test('a staged file is local until it is published, and nothing of it is left', async ({
  storage,
  staging,
}) => {
  const pending = await storage.stage('local/dt=2026-11-01/x.parquet');
  assert.match(pending.path, staging);
  await pending.discard();
  await publish(storage, 'local/dt=2026-11-01/x.parquet', 'content');
  const opened = await storage.open('local/dt=2026-11-01/x.parquet');
  await opened?.release();
  assert.is(await storage.open('local/dt=2026-11-01/y.parquet'), undefined);
  assert.equal(readdirSync(staging), []);
});

test('a session token is sent, and prefixes of one bucket do not see each other', async ({
  server,
  staging,
}) => {
  const sessionToken = 'session-token-of-the-tests';
  const one = storageAt(server, 'neighbours', staging, { sessionToken });
  const other = storageAt(server, 'neighbours-2', staging, { sessionToken });
  const whole = storageAt(server, '', staging);
  await one.putIfAbsent('local/a.json', bytesOf('a'));
  await other.putIfAbsent('local/b.json', bytesOf('b'));
  assert.equal(
    (await one.list('')).map(({ name }) => name),
    ['local/a.json'],
  );
  assert.is(await textOf(whole, 'neighbours-2/local/b.json'), 'b');
  assert.is(one.url, `s3://${BUCKET}/neighbours`);
  assert.is(whole.url, `s3://${BUCKET}`);
});

test('a listing of more than a page is whole and in order', async ({ storage }) => {
  const names = Array.from(
    { length: 1_050 },
    (_, index) => `local/dt=2026-11-01/r-${String(index).padStart(5, '0')}.parquet`,
  );
  for (let start = 0; start < names.length; start += 50) {
    await Promise.all(names.slice(start, start + 50).map((name) => storage.putIfAbsent(name, bytesOf('x'))));
  }
  assert.equal(
    (await storage.list('local')).map(({ name }) => name),
    names,
  );
});

test('a server that is overloaded or breaks off is asked again, and every operation does its work once', async ({
  server,
  storage,
}) => {
  const name = 'local/_hx/a.json';
  await server.set({ slowDown: 2, dropBefore: 2 });
  assert.ok(await storage.putIfAbsent(name, bytesOf('first')));
  await server.set({ dropBefore: 1, dropInside: 2 });
  assert.is(await textOf(storage, name), 'first');
  await server.set({ dropInside: 1, slowDown: 1 });
  assert.is((await storage.list('local')).length, 1);
  await server.set({ conflict: 3 });
  assert.ok(await storage.putIfAbsent('local/_hx/b.json', bytesOf('b')));
});

test('a writer whose answer was lost knows its own work from that of another', async ({
  server,
  storage,
}) => {
  await storage.putIfAbsent('local/warm.json', bytesOf('the server was asked for conditions'));
  await server.set({ dropAfter: 1 });
  assert.ok(await storage.putIfAbsent('local/a.json', bytesOf('mine')));
  await server.set({ dropAfter: 1 });
  assert.not.ok(
    await storage.putIfAbsent('local/a.json', bytesOf('mine')),
    'the same bytes of another write',
  );
  const first = await storage.replace('local/m.json', bytesOf('1'), undefined);
  await server.set({ dropAfter: 2 });
  const second = await storage.replace('local/m.json', bytesOf('2'), first);
  assert.type(second, 'string');
  assert.is((await storage.read('local/m.json'))?.tag, second);
  await server.set({ dropAfter: 1 });
  assert.is(await storage.replace('local/m.json', bytesOf('3'), first), undefined);
  await server.set({ dropAfter: 1 });
  assert.equal(await publish(storage, 'local/x.parquet', 'whole'), { bytes: 5, present: false });
  await server.set({ failAfter: 1 });
  assert.ok(await storage.putIfAbsent('local/b.json', bytesOf('done, but called a failure')));
  await server.set({ failAfter: 1 });
  assert.type(await storage.replace('local/m.json', bytesOf('4'), second), 'string');
});

test('a write whose answer was lost is not sent again by a process that slept since', async ({
  server,
  prefix,
  staging,
}) => {
  const storage = storageAt(server, prefix, staging, { patience: { ...IMPATIENT, repeatMs: -1 } });
  await storage.putIfAbsent('local/warm.json', bytesOf('the server was asked for conditions'));
  // One that was not carried out for certain may be sent at any time.
  await server.set({ slowDown: 2 });
  assert.ok(await storage.putIfAbsent('local/b.json', bytesOf('b')));
  await server.set({ dropAfter: 1 });
  const { PUT: before = 0 } = await server.counts();
  const error = await failureOf(() => storage.putIfAbsent('local/a.json', bytesOf('a')));
  assertFailure(error, 'unavailable', 'local/a.json: its answer was lost', 'Run the same command again');
  assert.is((await server.counts())['PUT'], before + 1);
  assert.is(await textOf(storage, 'local/a.json'), 'a');
  // A file of an export may take hours, and its range tells whether it comes too late.
  await server.set({ dropAfter: 1 });
  assert.equal(await publish(storage, 'local/x.parquet', 'whole'), { bytes: 5, present: false });
});

test('a server that ignores or refuses conditions is not written to', async ({
  server,
  storage,
  staging,
  prefix,
}) => {
  await server.set({ unconditional: true });
  const error = await failureOf(() => storage.putIfAbsent('local/a.json', bytesOf('a')));
  assertFailure(error, 'configuration', 'If-None-Match', 'conditional writes');
  assert.equal(await storage.list(''), []);
  await server.set({});
  assert.ok(await storage.putIfAbsent('local/a.json', bytesOf('a')), 'asked again once it was repaired');
  await server.set({ unconditional: true });
  const late = storageAt(server, prefix, staging);
  assert.is((await failureOf(() => late.putIfAbsent('local/b.json', bytesOf('b')))).code, 'configuration');
});

test('wrong settings are named', async ({ server, staging }) => {
  const at = (changes: Parameters<typeof storageAt>[3]) => storageAt(server, 'wrong', staging, changes);
  const read = (changes: Parameters<typeof storageAt>[3]) =>
    failureOf(() => at(changes).read('local/a.json'));
  assertFailure(await read({ accessKeyId: 'OTHER' }), 'credentials', 'access key', 'AWS_ACCESS_KEY_ID');
  const secret = await read({ secretAccessKey: 'a secret that is wrong' });
  assertFailure(secret, 'credentials', 'signature', 'AWS_SECRET_ACCESS_KEY');
  assert.not.match(
    `${secret.message}${secret.hint}${JSON.stringify(secret.facts)}`,
    'a secret that is wrong',
  );
  assertFailure(await read({ sessionToken: 'old' }), 'credentials', 'session token', 'AWS_SESSION_TOKEN');
  assertFailure(
    await read({ region: 'us-east-1' }),
    'configuration',
    'not in us-east-1',
    'AWS_REGION to eu-test-1',
  );
  const list = await failureOf(() => at({ url: 's3://no-such-bucket/x' }).list(''));
  assertFailure(list, 'configuration', 'no bucket no-such-bucket', 'HX_LAKE_URL');
  const put = await failureOf(() => at({ url: 's3://no-such-bucket/x' }).putIfAbsent('a', bytesOf('a')));
  assertFailure(put, 'configuration', 'no bucket no-such-bucket', 'HX_LAKE_URL');
  await server.set({ readOnly: true });
  const denied = await failureOf(() => at({}).putIfAbsent('local/a.json', bytesOf('a')));
  assertFailure(denied, 'credentials', 'may not', 's3:PutObject');
});

test('settings that are missing or malformed are named before anything is sent', async ({
  server,
  staging,
}) => {
  const failure = (changes: Parameters<typeof storageAt>[3]) =>
    failureOf(async () => storageAt(server, 'x', staging, changes));
  for (const url of [
    's3://',
    's3:bucket',
    'https://bucket/x',
    's3://Bucket/x',
    's3://b/x',
    's3://bucket/../x',
    's3://bucket/a?b',
  ]) {
    assertFailure(await failure({ url }), 'configuration', url, 's3://bucket/prefix');
  }
  assertFailure(
    await failure({ accessKeyId: undefined }),
    'configuration',
    'AWS_ACCESS_KEY_ID is not set',
    'AWS',
  );
  assertFailure(await failure({ endpoint: 'localhost:9000' }), 'configuration', 'AWS_ENDPOINT_URL', 'http');
});

test('a server out of reach is named, and one that says nothing is given up', async ({ server, staging }) => {
  const gone = await startS3();
  const known = storageAt(gone, 'x', staging);
  await known.list('');
  await gone.kill();
  // An address that was never of use is mistyped; a server that answered before comes back.
  for (const [storage, tries] of [
    [storageAt(gone, 'x', staging), 2],
    [known, 5],
  ] as const) {
    assertFailure(
      await failureOf(() => storage.list('')),
      'unavailable',
      new RegExp(`nothing answers at 127\\.0\\.0\\.1:\\d+ \\(tried ${tries} times`),
      'AWS_ENDPOINT_URL',
    );
  }
  const nowhere = storageAt(server, 'x', staging, { endpoint: 'http://no-such-host.invalid' });
  assertFailure(
    await failureOf(() => nowhere.list('')),
    'unavailable',
    'there is no host no-such-host.invalid (tried 2 times)',
    'AWS_ENDPOINT_URL',
  );
  // It speaks no TLS.
  const secret = storageAt(server, 'x', staging, { endpoint: server.endpoint.replace('http:', 'https:') });
  assertFailure(await failureOf(() => secret.list('')), 'unavailable', '(tried 2 times)', 'AWS_ENDPOINT_URL');
  await gone.stop();
  await server.set({ delayMs: 3_000 });
  const hasty = storageAt(server, 'x', staging, { patience: { ...IMPATIENT, attempts: 2, silenceMs: 100 } });
  assertFailure(await failureOf(() => hasty.list('')), 'unavailable', 'no answer for', 'network');
  await server.set({ slowDown: 100 });
  const busy = storageAt(server, 'x', staging);
  assertFailure(await failureOf(() => busy.list('')), 'unavailable', 'SlowDown', 'later');
});

test('Ctrl-C ends a request and a wait at once', async ({ server, staging }) => {
  await server.set({ delayMs: 5_000 });
  const controller = new AbortController();
  const reason = new Error('Ctrl-C');
  const storage = storageAt(server, 'x', staging, { signal: controller.signal });
  setTimeout(() => controller.abort(reason), 50);
  const started = performance.now();
  assert.is(await failureOf(() => storage.list('')), reason as HxError);
  assert.ok(performance.now() - started < 4_000);
  await server.set({});
});

test('Ctrl-C ends a request also after garbage was collected meanwhile', async ({ server, staging }) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  await server.set({ delayMs: 5_000 });
  const controller = new AbortController();
  const storage = storageAt(server, 'x', staging, { signal: controller.signal });
  const failure = failureOf(() => storage.list(''));
  for (let count = 0; count < 3; count += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    collect();
  }
  const startedMs = performance.now();
  controller.abort(new Error('stopped'));
  assert.is((await failure).message, 'stopped');
  assert.ok(performance.now() - startedMs < 1_000);
});

test('a full or missing local disk is named, not the server', async ({ server, staging }) => {
  mkdirSync(join(staging, '..'), { recursive: true });
  const storage = storageAt(server, 'x', '/proc/no-such-folder');
  const error = await failureOf(() => storage.stage('local/x.parquet'));
  assert.is(error.code, 'failed');
  assert.match(error.message, '/proc/no-such-folder');
});

test.run();
