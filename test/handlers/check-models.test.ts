import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sleep } from '../../src/base/time.js';
import { createTestDatabase, runHx, type TestDatabase } from '../helpers.js';
import { type ModelServer, startModelServer } from '../models/server.js';

const several = suite('hx check with several models');

let database: TestDatabase;
let server: ModelServer;

several.before(async () => {
  database = await createTestDatabase();
  server = await startModelServer({
    latencyMs: 20,
    respond: ({ body }) =>
      body?.['model'] === 'broken'
        ? { type: 'error', status: 400, message: 'no such thing' }
        : { type: 'good' },
  });
});
several.after(async () => {
  await server.close();
  await database.drop();
});

const hx = (claim: string, models: string[], ...argv: string[]) =>
  runHx(['check', claim, ...models.flatMap((model) => ['--model', model]), ...argv], {
    env: { ...database.variables, HX_COMPATIBLE_BASE_URL: server.baseUrl },
  });

several('one request, one check each', async () => {
  const models = ['simulator/default', 'compatible/good', 'simulator/noisy'];
  const { exitCode, stdout } = await hx('One request', models, '--json');
  assert.is(exitCode, 0);
  const { request_id, results } = JSON.parse(stdout);
  assert.equal(
    results.map(({ model }: { model: string }) => model),
    models,
  );
  const rows = await database.sql`select model, run_id from checks where request_id = ${request_id}`;
  assert.equal(rows.map(({ model }) => model).sort(), [...models].sort());
  const [request] = await database.sql`select models, env from requests where request_id = ${request_id}`;
  assert.equal({ ...request }, { models, env: 'local' });
  const again = JSON.parse((await hx('One request', models, '--json')).stdout);
  assert.ok(again.results.every(({ check }: { check: { was_cached: boolean } }) => check.was_cached));
});

several('a model that fails takes no other down', async () => {
  const { exitCode, stdout, stderr } = await hx('One fails', ['compatible/broken', 'simulator/default']);
  assert.is(exitCode, 1);
  assert.match(stdout, /simulator\/default/);
  assert.match(stderr, /hx: compatible\/broken: /);
  const [row] = await database.sql`select model from checks where claim = 'One fails'`;
  assert.is(row?.['model'], 'simulator/default');
});

several('when all fail nothing is said to be stored, and each failure has its hint', async () => {
  const { exitCode, stdout, stderr } = await runHx(
    ['check', 'None answers', '--model', 'compatible/a', '--model', 'compatible/b'],
    { env: { ...database.variables, HX_COMPATIBLE_BASE_URL: 'http://127.0.0.1:1/v1' } },
  );
  assert.is(exitCode, 3);
  assert.is(stdout, '');
  assert.match(stderr, /hx: compatible\/a: .+\n {4}.+/);
  assert.match(stderr, /hx: compatible\/b: .+\n {4}.+/);
});

several('a model that cannot be stops the request before anything is asked', async () => {
  const before = server.calls.length;
  for (const models of [
    ['compatible/good', 'nope/x'],
    ['compatible/good', 'openai/gpt-4.1-mini'],
    ['compatible/good', 'compatible/good'],
    ['compatible/good', ...Array.from({ length: 16 }, (_, index) => `compatible/m${index}`)],
  ]) {
    const { exitCode, stdout } = await hx('Never asked', models);
    assert.is(exitCode, 2);
    assert.is(stdout, '');
  }
  assert.is(server.calls.length, before);
  const [stored] = await database.sql`select count(*)::int as n from checks where claim = 'Never asked'`;
  assert.is(stored?.['n'], 0);
});

several('Ctrl-C: each model says what is stored, and the same command carries all of them on', async () => {
  const models = ['compatible/one', 'compatible/two'];
  const argv = [
    'check',
    'Interrupted',
    ...models.flatMap((model) => ['--model', model]),
    '--concurrency',
    '2',
  ];
  const env = { ...database.variables, HX_COMPATIBLE_BASE_URL: server.baseUrl };
  for (const flags of [[], ['--no-cache']]) {
    const stop = new AbortController();
    const before = server.calls.length;
    const running = runHx([...argv, ...flags], { env, signal: stop.signal });
    while (server.calls.length < before + 12) await sleep(5);
    stop.abort(Object.assign(new Error('stop'), { name: 'AbortError' }));
    const { exitCode, stdout, stderr } = await running;
    assert.equal([exitCode, stdout], [130, '']);
    const stored = models.map((model) => {
      const [, kept] = new RegExp(`hx: ${model}: .*?(\\d+) of 32 answers are stored`).exec(stderr) ?? [];
      assert.ok(Number(kept) > 0 && Number(kept) < 32, `${model}: ${stderr}`);
      return Number(kept);
    });
    const between = server.calls.length;
    const resumed = await runHx([...argv, ...flags, '--json'], { env });
    assert.is(resumed.exitCode, 0);
    for (const { check } of JSON.parse(resumed.stdout).results) {
      assert.equal([check.calls_made, check.n_usable, check.was_cached], [32, 32, false]);
    }
    assert.is(server.calls.length - between, 64 - stored.reduce((sum, kept) => sum + kept, 0));
  }
});

several.run();
