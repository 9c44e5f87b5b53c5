import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HxError } from '../../src/base/errors.js';
import type { ProgressEvent } from '../../src/base/events.js';
import { sleep, systemClock } from '../../src/base/time.js';
import { Accounts, Lanes } from '../../src/handlers/context.js';
import { invoke } from '../../src/handlers/index.js';
import { sideBySide } from '../../src/handlers/side-by-side.js';
import { makeTempFolder, makeTestSettings, removeFolder, runHx } from '../helpers.js';
import { type ModelServer, startModelServer } from '../models/server.js';

const sweep = suite('hx research with several models');

let folder: string;
let server: ModelServer | undefined;

sweep.before.each(() => {
  folder = makeTempFolder();
  writeFileSync(join(folder, 'claims.jsonl'), '{"claim": "One"}\n{"claim": "Two"}\n');
  writeFileSync(
    join(folder, 'prices.yaml'),
    'date: 2026-11-22\nmodels:\n  compatible/a: { input: 10, output: 20 }\n  compatible/b: { input: 10, output: 20 }\n',
  );
});
sweep.after.each(async () => {
  await server?.close();
  server = undefined;
  removeFolder(folder);
});

/** A server of any model; `broken` answers 400 to everything. */
async function serve(latencyMs = 0): Promise<ModelServer> {
  server = await startModelServer({
    latencyMs,
    respond: ({ body }) =>
      body?.['model'] === 'broken' ? { type: 'error', status: 400, message: 'no' } : { type: 'good' },
  });
  return server;
}

function hx(models: readonly string[], argv: readonly string[], signal?: AbortSignal) {
  const named = models.flatMap((model) => ['--model', model]);
  return runHx(['research', ...argv, ...named], {
    folder,
    env: { HX_PRICES: 'prices.yaml', HX_COMPATIBLE_BASE_URL: server?.baseUrl ?? 'http://127.0.0.1:1/v1' },
    ...(signal === undefined ? {} : { signal }),
  });
}

const CLAIMS = ['--claims', 'claims.jsonl', '--json'];

function runsIn(stdout: string): { claim: string; model: string; cost_usd: string }[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

function stored(sql: string): Record<string, unknown>[] {
  const path = join(folder, 'data', 'research.sqlite');
  if (!existsSync(path)) return [];
  const sqlite = new Database(path, { readonly: true });
  const isMade = sqlite.prepare("select 1 from sqlite_master where name = 'attempts'").get() !== undefined;
  const rows = isMade ? (sqlite.prepare(sql).all() as Record<string, unknown>[]) : [];
  sqlite.close();
  return rows;
}

sweep('every claim under every model: one run each, asked side by side, every row in the lake', async () => {
  const { calls } = await serve(5);
  const models = ['compatible/a', 'compatible/b'];
  const { exitCode, stdout, stderr } = await hx(models, [...CLAIMS, '--concurrency', '2']);
  assert.equal([exitCode, stderr], [0, '']);
  assert.equal(
    runsIn(stdout)
      .map(({ model, claim }) => `${model} ${claim}`)
      .sort(),
    ['compatible/a One', 'compatible/a Two', 'compatible/b One', 'compatible/b Two'],
  );
  const asked = calls.map(({ body }) => body?.['model']);
  assert.is(asked.length, 128);
  assert.ok(asked.indexOf('b') < 16, 'b did not wait for a');
  const query = [
    'query',
    'select model, count(*)::int as n from checks_local group by 1 order by 1',
    '--format',
    'json',
  ];
  assert.equal(JSON.parse((await runHx(query, { folder })).stdout), [
    { model: 'compatible/a', n: 2 },
    { model: 'compatible/b', n: 2 },
  ]);
  const again = await hx(models, ['--claims', 'claims.jsonl']);
  assert.match(again.stdout, /compatible\/b: Two {2}\(measured before\)/);
  assert.is(calls.length, 128);
  const one = await hx(models, ['Another claim']);
  assert.equal(one.stdout.match(/compatible\/[ab]$/gm)?.sort(), models);
});

sweep('a model that fails takes no other down, and is not asked for the claims that are left', async () => {
  const { calls } = await serve();
  const { exitCode, stdout, stderr } = await hx(['compatible/broken', 'compatible/a'], CLAIMS);
  assert.is(exitCode, 1);
  assert.equal(
    runsIn(stdout).map(({ model }) => model),
    ['compatible/a', 'compatible/a'],
  );
  const { error } = JSON.parse(stderr);
  assert.match(error.message, /^compatible\/broken: .*2 of 2 claims have no result\.$/);
  assert.ok(calls.filter(({ body }) => body?.['model'] === 'broken').length <= 16);
});

sweep("when every model fails for one reason, the command ends with that reason's exit code", async () => {
  const { exitCode, stdout, stderr } = await hx(['compatible/a', 'compatible/b'], ['A claim']);
  assert.equal([exitCode, stdout], [3, '']);
  for (const model of ['a', 'b'])
    assert.match(stderr, `hx: compatible/${model}: The model compatible/${model} at`);
  assert.match(stderr, 'hx models');
});

sweep('a model that cannot be, or is named twice, stops everything before anything is asked', async () => {
  const { calls } = await serve();
  for (const models of [
    ['compatible/a', 'nope/x'],
    ['compatible/a', 'openai/gpt-4.1-mini'],
    ['compatible/a', 'compatible/a'],
    Array.from({ length: 17 }, (_, index) => `compatible/m${index}`),
  ]) {
    assert.is((await hx(models, CLAIMS)).exitCode, 2);
  }
  assert.is(calls.length, 0);
});

sweep('Ctrl-C: each model says what is kept, and the same command carries on with the rest', async () => {
  const { calls } = await serve(40);
  const models = ['compatible/a', 'compatible/b'];
  const argv = [...CLAIMS, '--concurrency', '4'];
  const controller = new AbortController();
  const running = hx(models, argv, controller.signal);
  while (stored('select distinct template_id from attempts').length < 4) await sleep(10);
  controller.abort(Object.assign(new Error('stop'), { name: 'AbortError' }));
  const { exitCode, stderr } = await running;
  assert.is(exitCode, 130);
  for (const model of models) {
    assert.match(stderr, new RegExp(`${model}: .* of 32 answers are stored\\. 2 of 2 claims have no result`));
  }
  const kept = stored("select 1 from attempts where status = 'valid'").length;
  assert.ok(kept > 0 && kept < 128);
  const before = calls.length;
  const resumed = await hx(models, CLAIMS);
  assert.is(resumed.exitCode, 0);
  assert.is(runsIn(resumed.stdout).length, 4);
  assert.is(calls.length - before, 128 - kept);
  assert.is(stored('select distinct sample_key from attempts').length, 128);
});

sweep('when nobody reads any more, it stops without a word', async () => {
  await serve(20);
  for (const models of [['compatible/a'], ['compatible/a', 'compatible/b']]) {
    const controller = new AbortController();
    const running = hx(models, [...CLAIMS, '--no-cache'], controller.signal);
    const before = stored('select 1 from attempts').length;
    while (stored('select 1 from attempts').length === before) await sleep(10);
    controller.abort(new HxError('interrupted', ''));
    const { exitCode, stderr } = await running;
    assert.equal([exitCode, stderr], [130, '']);
  }
});

sweep('what a quick model brings does not wait for a slow one', async () => {
  async function* quick() {
    for (const claim of ['One', 'Two', 'Three']) yield claim;
  }
  async function* slow() {
    for (let turn = 0; turn < 50; turn += 1) await setImmediate();
    yield 'late';
  }
  const came: string[] = [];
  for await (const result of sideBySide([slow(), quick()])) came.push(result);
  assert.equal(came, ['One', 'Two', 'Three', 'late']);
});

sweep('--max-cost is one limit for all models and claims; what it stopped carries on', async () => {
  const { calls } = await serve();
  const models = ['compatible/a', 'compatible/b'];
  // A call reports 90 + 60 tokens: $0.0021, so that all four runs come to $0.2688.
  const stopped = await hx(models, [...CLAIMS, '--max-cost', '0.2']);
  assert.is(stopped.exitCode, 4);
  assert.match(stopped.stderr, 'of at most $0.20');
  assert.ok(calls.length * 0.0021 <= 0.2, `${calls.length} calls`);
  // What one model has in full leaves the other stopped by the limit, which is to be carried on all the same.
  const free = ['compatible/a', 'simulator/default'];
  assert.is((await hx(free, [...CLAIMS, '--max-cost', '0.0001'])).exitCode, 4);
  const { exitCode, stdout } = await hx(models, CLAIMS);
  assert.is(exitCode, 0);
  assert.equal(
    runsIn(stdout).map(({ cost_usd }) => cost_usd),
    Array.from({ length: 4 }, () => '0.067200'),
  );
  assert.is(calls.length, 128, 'no answer was paid for twice');
});

sweep('one progress for the whole: it only grows, and ends with every run', async () => {
  const settings = makeTestSettings({ dataDir: join(folder, 'data') });
  const { signal } = new AbortController();
  const events: ProgressEvent[] = [];
  const emit = (event: ProgressEvent) => events.push(event);
  const lanes = new Lanes(settings, signal, emit);
  const accounts = new Accounts();
  const input = {
    claims: [{ claim: 'One' }, { claim: 'Two' }, { claim: 'Three' }],
    models: ['simulator/default', 'simulator/flaky'],
  };
  const results = await invoke('research', input, {
    settings,
    clock: systemClock,
    signal,
    emit,
    lanes,
    accounts,
  });
  for await (const result of results) assert.ok('run' in result);
  await lanes.close();
  assert.equal([...new Set(events.map(({ type }) => type))], ['sweep']);
  const seen = events.flatMap((event) => (event.type === 'sweep' ? [event] : []));
  for (const [index, { done, calls, total }] of seen.entries()) {
    assert.is(total, 6);
    assert.ok(done >= (seen[index - 1]?.done ?? 0) - 1e-9 && calls >= (seen[index - 1]?.calls ?? 0));
  }
  const last = seen.at(-1);
  assert.equal([last?.done, last?.ended, last?.costUsd], [6, 6, null]);
  assert.ok((last?.calls ?? 0) > 192 && last?.calls === 192 + (last?.retried ?? 0));
});

sweep.run();
