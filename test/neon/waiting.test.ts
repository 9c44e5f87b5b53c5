import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ProgressEvent } from '../../src/base/events.js';
import { startTestServer } from '../database.js';
import { connectTo, failureOf, makeTempFolder, runHx } from '../helpers.js';
import type { NeonBench } from './bench.js';
import { changed, DATABASE, open, startMigratedBench, through } from './client.js';
import { FlakyProxy } from './proxy.js';

const test = suite('neon: waiting');
let bench: NeonBench;

test.before(async () => {
  bench = await startMigratedBench();
});

type WaitEvent = Extract<ProgressEvent, { type: 'wait' }>;

test('a server that comes up late is waited for, with the time left told all along', async () => {
  for (const asleep of ['refuse', 'hang-up'] as const) {
    const proxy = await FlakyProxy.start(bench.port, asleep);
    const waits: WaitEvent[] = [];
    const database = await open(through(proxy, bench.direct(DATABASE), 30), (event) => {
      if (event.type !== 'wait') return;
      waits.push(event);
      // It wakes up once hx has told twice that it waits.
      if (waits.length === 2) void proxy.become('pass');
    });
    assert.is((await database.read((sql) => sql`select`)).length, 1);
    await database.close();
    await proxy.stop();
    const left = waits.map(({ leftMs }) => leftMs);
    assert.is(left.pop(), null, 'the end of the wait is told');
    assert.ok(left.length >= 2);
    assert.equal(
      left,
      [...left].sort((a, b) => Number(b) - Number(a)),
    );
    assert.match(waits[0]?.reason ?? '', asleep === 'refuse' ? /ECONNREFUSED/ : /hung up/);
  }
});

test('one that never comes ends at the deadline with exit code 3, one note and nothing on standard output', async () => {
  for (const mode of ['refuse', 'silent'] as const) {
    const proxy = await FlakyProxy.start(bench.port, mode);
    const url = through(proxy, bench.direct(DATABASE), 2);
    const env = { HX_ENV: 'development', DATABASE_URL_DEV: url };
    const run = await runHx(['migrate', 'status', '--json'], { env });
    assert.is(run.exitCode, 3);
    assert.is(run.stdout, '');
    const [note, ...rest] = run.stderr.trim().split('\n');
    assert.match(note ?? '', /^Waiting for the development database, \d+ s at most/);
    const error = JSON.parse(rest.join('\n')) as { error: { message: string } };
    assert.match(
      error.error.message,
      /^Cannot reach the development database at ep-proxy.*(ECONNREFUSED|no answer).*; hx tried for \d+ s$/,
    );
    await proxy.stop();
  }
});

test('an interrupt during the wait, or during a connection that does not come about, ends it with exit code 130', async () => {
  for (const mode of ['refuse', 'silent'] as const) {
    const proxy = await FlakyProxy.start(bench.port, mode);
    const controller = new AbortController();
    const url = through(proxy, bench.direct(DATABASE), 600);
    const env = { HX_ENV: 'development', DATABASE_URL_DEV: url };
    const running = runHx(['migrate', 'status'], { env, signal: controller.signal });
    setTimeout(() => controller.abort(), 300);
    assert.is((await running).exitCode, 130);
    await proxy.stop();
  }
});

test('a server that is shutting down is waited for too, and its own words are told', async () => {
  const server = await startTestServer(makeTempFolder());
  const url = server.url ?? '';
  const held = connectTo(url);
  await held`select 1`;
  // It lets those who are connected go on, and nobody new in.
  process.kill(server.pid ?? 0, 'SIGTERM');
  const wait = changed(url, { query: { connect_timeout: '1' } });
  const error = await failureOf(open(wait));
  assert.is(error.exitCode, 3);
  assert.match(
    error.message,
    /Cannot reach the development database: the database system is shutting down; hx tried/,
  );
  await held.end();
});

test('connect_timeout that is no number of seconds is named', async () => {
  const error = await failureOf(
    open(changed(bench.direct(DATABASE), { query: { connect_timeout: 'soon' } })),
  );
  assert.is(error.exitCode, 2);
  assert.match(error.message, /DATABASE_URL_DEV: connect_timeout=soon/);
});

test.run();
