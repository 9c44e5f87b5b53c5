import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sleep } from '../../src/base/time.js';
import { createTestDatabase, runHx, type TestDatabase } from '../helpers.js';
import { type ModelServer, startModelServer } from '../models/server.js';

const ENTRY = fileURLToPath(new URL('../entry.ts', import.meta.url));

const serve = suite('hx serve');

interface Running {
  readonly url: string;
  readonly log: () => string;
  /** Sends a signal and resolves with the exit code. */
  stop(signal: NodeJS.Signals): Promise<number | null>;
}

let database: TestDatabase;
let model: ModelServer;
let running: Running | undefined;

serve.before(async () => {
  database = await createTestDatabase();
  model = await startModelServer({ latencyMs: 100 });
});
serve.after.each(async () => {
  await running?.stop('SIGKILL');
  running = undefined;
});
serve.after(async () => {
  await model.close();
  await database.drop();
});

/** A real server process, as a container would run it. */
async function start(variables: Record<string, string> = {}, argv: string[] = []): Promise<Running> {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', ENTRY, 'serve', '--port', '0', '--json', ...argv],
    {
      env: {
        PATH: process.env['PATH'],
        HX_COMPATIBLE_BASE_URL: model.baseUrl,
        ...database.variables,
        ...variables,
      },
    },
  );
  let log = '';
  child.stderr.on('data', (chunk) => {
    log += chunk;
  });
  const exited = once(child, 'exit');
  const [line] = await Promise.race([once(child.stdout, 'data'), exited.then(() => [''])]);
  assert.ok(String(line).startsWith('{'), `did not start: ${log}`);
  running = {
    url: JSON.parse(String(line)).url,
    log: () => log,
    async stop(signal) {
      child.kill(signal);
      const [code] = await exited;
      return code as number | null;
    },
  };
  return running;
}

function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${url}/v1/checks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

serve('a check over HTTP is the same check: stored, readable, cached', async () => {
  const { url } = await start();
  const made = await post(url, { claim: 'Tides are caused by the moon', model: 'simulator/default' });
  assert.is(made.status, 201);
  const record = (await made.json()) as Record<string, unknown>;
  const location = made.headers.get('location') ?? '';
  assert.is(location, `/v1/checks/${record['run_id']}`);
  assert.equal(await (await fetch(url + location)).json(), record);
  const [row] =
    await database.sql`select prob_true_rpl from checks where run_id = ${record['run_id'] as string}`;
  assert.is(row?.['prob_true_rpl'], record['prob_true_rpl']);
  const again = await post(url, { claim: 'Tides are caused by the moon', model: 'simulator/default' });
  assert.is(((await again.json()) as Record<string, unknown>)['was_cached'], true);
});

serve('a check over HTTP may ask for a readout, of a provider that has one', async () => {
  const { url } = await start();
  const made = await post(url, { claim: 'Rivers flow', model: 'simulator/default', readout: true });
  const record = (await made.json()) as Record<string, unknown>;
  assert.equal([made.status, record['n_readouts'], record['calls_made']], [201, 16, 48]);
  const refused = await post(url, { claim: 'x', model: 'anthropic/claude-haiku-4-5', readout: true });
  assert.is(refused.status, 400);
  assert.match(String(((await refused.json()) as Record<string, unknown>)['hint']), 'openai, xai');
});

serve('several models: one request, a check or an error of each', async () => {
  const { url } = await start();
  const models = ['simulator/default', 'compatible/m'];
  const made = await post(url, { claim: 'Several models', models, k: 4, r: 1 });
  assert.is(made.status, 201);
  const { request_id, results } = (await made.json()) as {
    request_id: string;
    results: { model: string; check: { run_id: string; n_samples: number } }[];
  };
  assert.equal(
    results.map(({ model: name, check }) => [name, check.n_samples]),
    [
      ['simulator/default', 4],
      ['compatible/m', 4],
    ],
  );
  const stored = await database.sql`select run_id from checks where request_id = ${request_id}`;
  assert.equal(stored.map(({ run_id }) => run_id).sort(), results.map(({ check }) => check.run_id).sort());
  await running?.stop('SIGKILL');
  const crippled = await start({ HX_COMPATIBLE_BASE_URL: 'http://127.0.0.1:1/v1' });
  const half = await post(crippled.url, { claim: 'One fails', models, k: 4, r: 1 });
  assert.is(half.status, 201);
  const [ok, failed] = ((await half.json()) as { results: { check?: unknown; error?: { code: string } }[] })
    .results;
  assert.ok(ok?.check !== undefined && failed?.error?.code === 'unavailable');
  const none = await post(crippled.url, { claim: 'All fail', models: ['compatible/a', 'compatible/b'] });
  assert.is(none.status, 503);
  for (const [body, field] of [
    [{ model: 'simulator/default', models }, /^model and models/],
    [{ models: [] }, /models/],
    [{ models: 'simulator/default' }, /models/],
    [{ models: ['simulator/default', 'simulator/default'] }, /named twice/],
    [{ models: Array.from({ length: 17 }, (_, index) => `compatible/m${index}`) }, /models/],
  ] as const) {
    const refused = await post(crippled.url, { claim: 'Never', ...body });
    assert.is(refused.status, 400);
    assert.match(((await refused.json()) as { detail: string }).detail, field);
  }
});

serve('sizes have the bounds of the command line, each named with its range', async () => {
  const { url } = await start();
  for (const [field, value, range] of [
    ['k', 65, '2 to 64'],
    ['k', '16', '2 to 64'],
    ['r', 17, '1 to 16'],
    ['t', 1, '2 to 64'],
    ['b', 100_001, '100 to 100000'],
    ['b', 500.5, '100 to 100000'],
    ['concurrency', 257, '1 to 256'],
    ['max_calls', 1_025, '2 to 1024'],
  ] as const) {
    const refused = await post(url, {
      claim: 'Never',
      model: 'simulator/default',
      width: 0.2,
      [field]: value,
    });
    assert.is(refused.status, 400);
    const { detail } = (await refused.json()) as { detail: string };
    assert.match(detail, `${field}: Expected a whole number from ${range}`);
  }
});

serve('livez and readyz answer; readyz says when the database is another environment', async () => {
  const { url } = await start();
  assert.is((await fetch(`${url}/livez`)).status, 200);
  assert.equal(await (await fetch(`${url}/readyz`)).json(), { status: 'ok', environment: 'local' });
  await running?.stop('SIGKILL');
  const crossed = await start({ HX_ENV: 'development', DATABASE_URL_DEV: database.url });
  const ready = await fetch(`${crossed.url}/readyz`);
  assert.is(ready.status, 403);
  assert.is(((await ready.json()) as Record<string, unknown>)['code'], 'refused');
  assert.is((await fetch(`${crossed.url}/livez`)).status, 200);
});

serve('errors are problem documents with the code of the command line', async () => {
  const { url } = await start();
  const cases: [Promise<Response>, number, string][] = [
    [post(url, 'not json'), 400, 'usage'],
    [post(url, '[]'), 400, 'usage'],
    [post(url, {}), 400, 'usage'],
    [post(url, { claim: 'x' }), 400, 'usage'],
    [post(url, { claim: '', model: 'simulator/default' }), 400, 'usage'],
    [post(url, { claim: 'x', model: 'simulator/default', k: 65 }), 400, 'usage'],
    [post(url, { claim: 'x', model: 'simulator/default', colour: 'red' }), 400, 'usage'],
    [post(url, { claim: 'x', model: 'simulator/default', bank: '/etc/passwd' }), 400, 'usage'],
    [post(url, { claim: 'x', model: 'simulator/default', bank: '../../package.json' }), 400, 'usage'],
    [post(url, { claim: 'x' }, { 'content-type': 'text/plain' }), 415, 'usage'],
    [post(url, { claim: 'x'.repeat(70_000) }), 413, 'too_large'],
    [fetch(`${url}/v1/checks/nope`), 400, 'usage'],
    [fetch(`${url}/v1/checks/01890000-0000-7000-8000-00000000dead`), 404, 'not_found'],
    [fetch(`${url}/nowhere`), 404, 'not_found'],
  ];
  for (const [response, status, code] of cases) {
    const answer = await response;
    const problem = (await answer.json()) as Record<string, unknown>;
    assert.is(answer.status, status, JSON.stringify(problem));
    assert.is(problem['code'], code);
    assert.is(problem['status'], status);
    assert.match(answer.headers.get('content-type') ?? '', 'application/problem+json');
    assert.not.match(JSON.stringify(problem), /root:|node_modules|at .*\.ts:/);
  }
});

serve('a token is asked for when it is set', async () => {
  const { url } = await start({ HX_SERVE_TOKEN: 'a-long-secret-token' });
  const body = { claim: 'With a token', model: 'simulator/default' };
  assert.is((await post(url, body)).status, 401);
  assert.is((await post(url, body, { authorization: 'Bearer wrong' })).status, 401);
  assert.is((await post(url, body, { authorization: 'Bearer a-long-secret-token' })).status, 201);
  assert.is((await fetch(`${url}/livez`)).status, 200);
  assert.not.match(running?.log() ?? '', 'a-long-secret-token');
});

serve('without a token it listens on loopback only and answers to loopback names only', async () => {
  const { exitCode, stderr } = await runHx(['serve', '--host', '0.0.0.0', '--port', '0'], {
    env: database.variables,
  });
  assert.is(exitCode, 2);
  assert.match(stderr, 'HX_SERVE_TOKEN');
  const { url } = await start();
  const { port } = new URL(url);
  const socket = connect(Number(port), '127.0.0.1');
  socket.write('GET /v1/checks/x HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n');
  const [answer] = await once(socket, 'data');
  assert.match(String(answer), /^HTTP\/1\.1 403/);
  socket.destroy();
});

serve('SIGTERM lets the request in flight end, then exits with 0', async () => {
  const { url, stop, log } = await start();
  const inFlight = post(url, { claim: 'In flight', model: 'compatible/test-model', concurrency: 4 });
  const before = model.calls.length;
  while (model.calls.length === before) await sleep(10);
  const stopped = stop('SIGTERM');
  const answer = await inFlight;
  assert.is(answer.status, 201);
  assert.is(await stopped, 0);
  assert.match(log(), 'stopping');
});

serve('slow clients are cut off, and honest ones are served meanwhile', async () => {
  const { url } = await start();
  const { port } = new URL(url);
  const half = [
    'GET /livez HTTP/1.1\r\nHo',
    'POST /v1/checks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{',
  ];
  const closed = half.map((text) => {
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(text);
    socket.resume();
    return once(socket, 'close');
  });
  assert.is((await fetch(`${url}/livez`)).status, 200);
  await Promise.all(closed);
});

serve('an environment whose database is not named stops the server before it listens', async () => {
  const { exitCode, stderr } = await runHx(['serve', '--port', '0', '--env', 'neon'], { env: {} });
  assert.is(exitCode, 2);
  assert.match(stderr, 'DATABASE_URL_PROD');
});

serve('a taken port is a clear error', async () => {
  const { url } = await start();
  const { exitCode, stderr } = await runHx(['serve', '--port', new URL(url).port], {
    env: database.variables,
  });
  assert.is(exitCode, 3);
  assert.match(stderr, 'the port is taken');
});

serve.run();
