import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Wanted } from '../../../src/lake/catalog/selection.js';
import { compact } from '../../../src/lake/compaction/compact.js';
import { loadDuckdb } from '../../../src/lake/engine/duckdb-api.js';
import type { LakeEngine } from '../../../src/lake/engine/engine.js';
import { READING_TABLE_FUNCTIONS } from '../../../src/lake/engine/functions.js';
import { lockDown, startDuckdb } from '../../../src/lake/engine/locked-duckdb.js';
import { LakeRoots } from '../../../src/lake/engine/roots.js';
import { connectThroughHttpfs, httpfsProblem } from '../../../src/lake/in-place/httpfs.js';
import { openInPlaceEngine } from '../../../src/lake/in-place/source.js';
import { openMirroredEngine } from '../../../src/lake/mirror/engine.js';
import type { S3Storage } from '../../../src/lake/storage/s3.js';
import { readS3Place } from '../../../src/lake/storage/s3-place.js';
import { appendRun } from '../../../src/lake/writer.js';
import { makeTempFolder, removeFolder } from '../../helpers.js';
import { errorOf, runRows } from '../collect.js';
import { lakeRow } from '../rows.js';
import { BUCKET, type S3Server, startS3, storageAt } from '../storage/s3-server.js';
import { leavingAttempts } from './attempts.js';

const home = makeTempFolder();
const problem = await httpfsProblem(join(home, 'spill'));
if (problem !== undefined) {
  process.stderr.write(`Reading in place through httpfs is not tested here: ${problem.reason}.\n`);
}

interface State {
  server: S3Server;
  folder: string;
  prefix: string;
  storage: S3Storage;
  notes: string[];
  nowMs: number;
  open(wanted?: Wanted, secretAccessKey?: string): Promise<LakeEngine>;
}

const test = suite<State>('lake in place');
let prefixes = 0;

/** httpfs takes keys out of the environment when it is loaded. */
const KEYS = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'];

test.before(async (state) => {
  for (const name of KEYS) process.env[name] = 'S3RVER-of-the-environment';
  state.server = await startS3();
});
test.after(async ({ server }) => {
  for (const name of KEYS) delete process.env[name];
  await server.stop();
  removeFolder(home);
});
test.before.each(async (state) => {
  await state.server.set({});
  prefixes += 1;
  state.prefix = `in place ${prefixes}/of+tests`;
  state.folder = makeTempFolder();
  state.storage = storageAt(state.server, state.prefix, join(state.folder, 'staging'));
  state.notes = [];
  state.nowMs = 0;
  state.open = (wanted = {}, secretAccessKey = 'S3RVER') => {
    const place = placeOf(state.server, state.storage.url, secretAccessKey);
    return openInPlaceEngine({
      storage: state.storage,
      place,
      dataDir: state.folder,
      wanted,
      emit: (event) => {
        if (event.type === 'note') state.notes.push(event.message);
      },
      clock: { now: () => new Date(), monotonicMs: () => state.nowMs },
    });
  };
});
test.after.each(({ folder }) => removeFolder(folder));

function placeOf({ endpoint }: S3Server, url: string, secretAccessKey = 'S3RVER') {
  const accessKeyId = 'S3RVER';
  return readS3Place({
    url,
    accessKeyId,
    secretAccessKey,
    sessionToken: undefined,
    region: 'eu-test-1',
    endpoint,
  });
}

/** A test that needs httpfs. */
function overHttpfs(name: string, work: (state: State) => Promise<void>): void {
  if (problem === undefined) test(name, work);
}

const on = (number: number, day: string, given = {}) =>
  lakeRow(number, { created_at: new Date(`${day}T12:00:00.000Z`), ...given });
const COUNTS = 'SELECT env, count(*), count(DISTINCT run_id) FROM checks GROUP BY env ORDER BY env';
const EVERY_ROW = 'SELECT * FROM checks ORDER BY env, run_id';

async function compactNow({ storage, folder }: State, graceMs?: number): Promise<void> {
  const environment = 'local';
  const now = () => new Date();
  await compact({ storage, dataDir: folder, environment, urgency: 'any', now, graceMs });
}

test('httpfs is here and loads, or was never installed', () => {
  assert.ok(problem === undefined || problem.state === 'missing', problem?.reason);
});

overHttpfs('both ways to read a lake give the same rows, also after a compaction', async (state) => {
  const { storage, folder, notes } = state;
  for (let number = 0; number < 12; number += 1) {
    const env = number % 4 === 3 ? 'production' : 'local';
    await appendRun(storage, on(number, `2026-11-0${1 + (number % 3)}`, { env }));
  }
  const inPlace = await state.open();
  assert.equal(notes, [`Reading 12 files (0.1 MB) of ${storage.url} in place, through httpfs.`]);
  const clock = { now: () => new Date(), monotonicMs: () => state.nowMs };
  const emit = () => {};
  const mirrored = await openMirroredEngine(
    { storage, dataDir: folder, limitBytes: 1e9, wanted: {}, emit },
    clock,
  );
  try {
    const before = await runRows(mirrored, EVERY_ROW);
    assert.is(before.length, 12);
    assert.equal(await runRows(inPlace, EVERY_ROW), before);
    // The replaced files stay for an hour, so a listing of a minute ago still finds all that it names.
    await compactNow(state);
    assert.equal(await runRows(inPlace, EVERY_ROW), before);
    state.nowMs = 61_000;
    assert.equal(await runRows(inPlace, EVERY_ROW), before);
    assert.equal(await runRows(mirrored, EVERY_ROW), before);
    const files = await runRows(inPlace, "SELECT DISTINCT filename FROM lake.rows WHERE env = 'local'");
    assert.ok(files.length === 3 && files.every(([name]) => /\/c-s3-/.test(String(name))), String(files));
    const day = "SELECT count(*) FROM checks WHERE dt = DATE '2026-11-02' AND env = 'local'";
    assert.equal(await runRows(inPlace, day), await runRows(mirrored, day));
  } finally {
    inPlace.close();
    mirrored.close();
  }
});

overHttpfs('a session sees what comes later, and a part of the lake when it asks for one', async (state) => {
  const { storage } = state;
  await appendRun(storage, on(1, '2026-11-01'));
  await appendRun(storage, on(2, '2026-11-02', { env: 'production' }));
  const engine = await state.open();
  const some = await state.open({ since: '2026-11-02', environments: ['production'] });
  try {
    const before = [
      ['local', 1n, 1n],
      ['production', 1n, 1n],
    ];
    assert.equal(await runRows(engine, COUNTS), before);
    assert.equal(await runRows(some, COUNTS), [['production', 1n, 1n]]);
    await appendRun(storage, on(3, '2026-11-02'));
    assert.equal(await runRows(engine, COUNTS), before, 'fresh for a minute');
    state.nowMs = 61_000;
    assert.equal(await runRows(engine, COUNTS), [
      ['local', 2n, 2n],
      ['production', 1n, 1n],
    ]);
  } finally {
    engine.close();
    some.close();
  }
});

overHttpfs('an empty lake has its views, and a filter on the day leaves files unread', async (state) => {
  const empty = await state.open();
  assert.equal(await runRows(empty, 'SELECT count(*) FROM checks'), [[0n]]);
  empty.close();
  for (let day = 1; day <= 9; day += 1) await appendRun(state.storage, on(day, `2026-11-0${day}`));
  const engine = await state.open();
  const requests = async () => (await state.server.counts())['HEAD'] ?? 0;
  const before = await requests();
  assert.equal(await runRows(engine, "SELECT count(*) FROM checks WHERE dt = DATE '2026-11-04'"), [[1n]]);
  assert.ok((await requests()) - before <= 3, `${(await requests()) - before} files`);
  engine.close();
});

overHttpfs('what was read is not fetched again, unless the object is another one', async (state) => {
  const { server, storage } = state;
  const name = await appendRun(storage, on(1, '2026-11-01'));
  const other = await appendRun(storage, on(2, '2026-11-02'));
  const engine = await state.open();
  const claims = 'SELECT claim FROM checks ORDER BY claim';
  try {
    assert.equal(await runRows(engine, claims), [['Claim 1.'], ['Claim 2.']]);
    const before = (await server.counts())['GET'];
    assert.equal(await runRows(engine, claims), [['Claim 1.'], ['Claim 2.']]);
    assert.is((await server.counts())['GET'], before);
    const { bytes = new Uint8Array() } = (await storage.read(other)) ?? {};
    await storage.remove(name);
    assert.ok(await storage.putIfAbsent(name, bytes));
    assert.equal(await runRows(engine, claims), [['Claim 2.'], ['Claim 2.']]);
  } finally {
    engine.close();
  }
});

/** A server that takes whatever comes, and remembers it. */
async function listen(heard: string[]): Promise<Server> {
  const server = createServer(({ method, url }, response) => {
    heard.push(`${method} ${url}`);
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

overHttpfs('no statement leaves the lake, writes into it or learns the key', async (state) => {
  const { server, storage, prefix } = state;
  await appendRun(storage, on(1, '2026-11-01'));
  for (const beside of ['', `${prefix}-beside`]) {
    await storageAt(server, beside, join(state.folder, 'staging')).putIfAbsent(
      'secret.txt',
      Buffer.from('SECRET'),
    );
  }
  const heard: string[] = [];
  const stranger = await listen(heard);
  const engine = await state.open();
  try {
    const { port } = stranger.address() as AddressInfo;
    const attempts = leavingAttempts({
      url: storage.url,
      stranger: `127.0.0.1:${port}`,
      own: server.endpoint.replace('http://', ''),
    });
    // The first completion makes the views that nobody has asked for.
    await engine.complete('SELECT ');
    const before = await server.counts();
    for (const sql of attempts) {
      const error = await errorOf(engine, sql);
      assert.is(error.code, 'refused', `${sql}: ${error.message}`);
      assert.not.match(`${error.message} ${error.hint}`, /SECRET/);
    }
    for (const text of [
      `FROM 'http://127.0.0.1:${port}/../../s3:/${BUCKET}/${prefix}/`,
      `FROM 's3://${BUCKET}/`,
    ]) {
      await engine.complete(text);
    }
    assert.equal(heard, []);
    assert.equal(await server.counts(), before, 'no request was made of any attempt');
    const shown = "SELECT name FROM duckdb_settings() WHERE value LIKE '%S3RVER%'";
    assert.equal(await runRows(engine, shown), []);
    for (const name of ['s3_secret_access_key', 's3_access_key_id', 's3_session_token']) {
      const told = await runRows(engine, `SELECT current_setting('${name}')`).catch(({ message }) => message);
      assert.not.match(String(told), /S3RVER/);
    }
    const manifest = `FROM read_text('${storage.url}/local/_hx/manifest.json')`;
    assert.match((await errorOf(engine, manifest)).message, /gone/, 'within the lake it is asked for');
    assert.equal(await runRows(engine, COUNTS), [['local', 1n, 1n]]);
  } finally {
    engine.close();
    stranger.close();
  }
});

overHttpfs('what httpfs adds is closed', async (state) => {
  await appendRun(state.storage, on(1, '2026-11-01'));
  const engine = await state.open();
  try {
    const functions = await runRows(
      engine,
      "SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type IN ('table', 'table_macro')",
    );
    const closed = functions
      .map(([name]) => String(name))
      .filter((name) => !READING_TABLE_FUNCTIONS.has(name));
    for (const name of closed) {
      assert.match((await errorOf(engine, `FROM ${name}()`)).message, 'may not be used', name);
    }
  } finally {
    engine.close();
  }
});

overHttpfs('without the guard DuckDB asks no other server either', async ({ server, storage, folder }) => {
  const heard: string[] = [];
  const stranger = await listen(heard);
  const { port } = stranger.address() as AddressInfo;
  const instance = await startDuckdb(loadDuckdb(), { spill: join(folder, 'spill'), memoryLimit: undefined });
  const connection = await instance.connect();
  try {
    await connectThroughHttpfs(connection, placeOf(server, storage.url));
    await lockDown(connection, new LakeRoots([storage.url]), true);
    const own = server.endpoint.replace('http://', '');
    const attempts = leavingAttempts({ url: storage.url, stranger: `127.0.0.1:${port}`, own });
    for (const sql of attempts.filter((text) => /^(FROM|SELECT|DESCRIBE|SUMMARIZE|SET|RESET)/.test(text))) {
      await connection.run(sql).catch(() => undefined);
    }
    assert.equal(heard, []);
    const values = await connection.runAndReadAll('SELECT value FROM duckdb_settings()');
    assert.not.match(String(values.getRows()), /S3RVER/);
  } finally {
    connection.closeSync();
    instance.closeSync();
    stranger.close();
  }
});

overHttpfs(
  'a wrong key, a lost file and a server that went are told as of our own requests',
  async (state) => {
    const { server, storage } = state;
    const name = await appendRun(storage, on(1, '2026-11-01'));
    await appendRun(storage, on(2, '2026-11-02'));
    const wrong = await state.open({}, 'a-wrong-secret').catch((thrown) => thrown);
    assert.is(wrong.code, 'credentials', wrong.message);
    assert.match(
      wrong.message,
      /^Cannot read s3:\/\/hx-test-bucket\/in place \d+\/of\+tests\/local\/dt=2026-11-01\/r-s3-/,
    );
    assert.not.match(JSON.stringify(wrong), /a-wrong-secret/);
    const engine = await state.open();
    try {
      assert.equal(await runRows(engine, COUNTS), [['local', 2n, 2n]]);
      await storage.remove(name);
      const lost = await errorOf(engine, EVERY_ROW);
      assert.is(lost.code, 'failed');
      assert.match(lost.message, `A file of the lake is gone: ${storage.url}/${name}.`);
      assert.equal(await runRows(engine, COUNTS), [['local', 1n, 1n]], 'the lake was listed anew');
      await server.set({ dropBefore: 1_000 });
      const away = await errorOf(engine, EVERY_ROW);
      assert.is(away.code, 'unavailable', away.message);
      assert.match(away.message, /^Cannot read s3:\/\/hx-test-bucket\/.*127\.0\.0\.1:\d+ cannot be reached/);
      await server.set({});
      assert.equal(await runRows(engine, COUNTS), [['local', 1n, 1n]]);
    } finally {
      engine.close();
    }
  },
);

overHttpfs('a statement that waits for the server stops at once', async (state) => {
  for (let day = 1; day <= 9; day += 1) await appendRun(state.storage, on(day, `2026-11-0${day}`));
  const engine = await state.open();
  try {
    await state.server.set({ delayMs: 2_000 });
    const running = errorOf(engine, EVERY_ROW);
    await new Promise((resolve) => setTimeout(resolve, 500));
    const startedMs = performance.now();
    engine.interrupt();
    assert.is((await running).code, 'interrupted');
    assert.ok(performance.now() - startedMs < 200, `${performance.now() - startedMs} ms`);
    await state.server.set({});
    assert.equal(await runRows(engine, COUNTS), [['local', 9n, 9n]]);
  } finally {
    engine.close();
  }
});

test.run();
