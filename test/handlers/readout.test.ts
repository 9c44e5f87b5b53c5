import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sleep } from '../../src/base/time.js';
import { createTestDatabase, makeTempFolder, removeFolder, runHx, type TestDatabase } from '../helpers.js';
import {
  type Behaviour,
  isReadout,
  type ModelServer,
  type Place,
  startModelServer,
} from '../models/server.js';

const test = suite('readout');

const CLAIM = 'Tides are caused by the moon';
const PLACE: Place = [
  ['False', 0.6],
  ['True', 0.2],
  ['It', 0.1],
];
const WORD: Behaviour = { type: 'word', places: [PLACE] };

let database: TestDatabase;
let folder: string;
let server: ModelServer | undefined;

test.before(async () => {
  database = await createTestDatabase();
});
test.before.each(() => {
  folder = makeTempFolder();
});
test.after.each(async () => {
  await server?.close();
  server = undefined;
  removeFolder(folder);
});
test.after(() => database.drop());

/** A server that answers samples well, and the readouts as told; `index` counts readouts from 0. */
async function serve(readout: (index: number) => Behaviour = () => WORD): Promise<Record<string, string>> {
  let readouts = 0;
  server = await startModelServer({
    respond: (request) => {
      if (!isReadout(request)) return { type: 'good' };
      readouts += 1;
      return readout(readouts - 1);
    },
  });
  return { HX_COMPATIBLE_BASE_URL: server.baseUrl, OPENAI_BASE_URL: server.baseUrl, OPENAI_API_KEY: 'sk-x' };
}

const readoutCalls = () => (server?.calls ?? []).filter(isReadout).length;

function hx(argv: string[], variables: Record<string, string> = {}) {
  return runHx(argv, {
    folder,
    env: { ...database.variables, HX_DATA_DIR: join(folder, 'data'), ...variables },
  });
}

/** Reads the research store beside hx, as another program would; nothing while it is still being made. */
function read<T>(sql: string): T[] {
  const path = join(folder, 'data', 'research.sqlite');
  if (!existsSync(path)) return [];
  const sqlite = new Database(path, { readonly: true });
  try {
    return sqlite.prepare(sql).all() as T[];
  } catch (error) {
    if (String(error).includes('no such table')) return [];
    throw error;
  } finally {
    sqlite.close();
  }
}

const stored = () => read('select 1 from readouts').length;

test('hx check: each template once, beside the estimate and without touching it, stored call by call', async () => {
  const variables = await serve();
  const argv = ['check', CLAIM, '--model', 'compatible/m', '--json'];
  const plain = JSON.parse((await hx(argv, variables)).stdout);
  assert.is(readoutCalls(), 0);
  const { stdout } = await hx([...argv, '--readout', '--explain'], variables);
  const run = JSON.parse(stdout);
  assert.is(run.was_cached, false, 'a result without a readout does not answer a check with one');
  assert.is(readoutCalls(), 16);
  assert.equal([run.n_readouts, run.calls_made, run.samples_reused], [16, 16, 32]);
  assert.ok(Math.abs(run.prob_true_logprob - 0.25) < 1e-9, String(run.prob_true_logprob));
  assert.ok(Math.abs(run.logprob_mass_other - 0.2) < 1e-9);
  assert.equal(run.readouts_by_status_json, { valid: 16 });
  assert.equal([run.tokens_in, run.tokens_out], [16 * 90, 16 * 2]);
  assert.is(run.explanation.readouts.length, 16);
  for (const name of ['prob_true_rpl', 'ci_lo', 'ci_hi', 'pqs', 'verdict', 'bootstrap_seed', 'n_samples']) {
    assert.is(run[name], plain[name], name);
  }
  assert.equal(
    [plain.n_readouts, plain.prob_true_logprob, plain.readouts_by_status_json],
    [null, null, null],
  );
  const rows = await database.sql`
    select template_id, prob_true, mass_false, temperature, tokens_json, env from readouts where run_id = ${run.run_id}`;
  assert.is(new Set(rows.map((row) => row['template_id'])).size, 16);
  assert.equal(
    [rows[0]?.['temperature'], rows[0]?.['tokens_json'][0].token, rows[0]?.['env']],
    [1, 'False', 'local'],
  );
  const [check] =
    await database.sql`select prob_true_logprob, n_readouts from checks where run_id = ${run.run_id}`;
  assert.equal([check?.['prob_true_logprob'], check?.['n_readouts']], [run.prob_true_logprob, 16]);
});

test('hx check: the cache answers a check with a readout by one with it, and the other by the other', async () => {
  const variables = await serve();
  const argv = ['check', 'Rivers flow', '--model', 'compatible/m'];
  const first = JSON.parse((await hx([...argv, '--readout', '--json'], variables)).stdout);
  const again = JSON.parse((await hx([...argv, '--readout', '--json'], variables)).stdout);
  assert.equal([again.was_cached, again.cached_from, again.calls_made], [true, first.run_id, 0]);
  assert.equal([again.prob_true_logprob, again.n_readouts], [first.prob_true_logprob, 16]);
  assert.is(readoutCalls(), 16);
  const human = await hx([...argv, '--readout', '--explain'], variables);
  assert.match(
    human.stdout,
    'readout  p = 0.250 from token probabilities (16/16 templates, 20 % of the mass elsewhere)',
  );
  assert.match(human.stdout, 'readout by token probabilities');
  const without = JSON.parse((await hx([...argv, '--json'], variables)).stdout);
  assert.equal([without.was_cached, without.n_readouts], [false, null]);
  assert.equal([without.calls_made, without.samples_reused], [0, 32], 'the same samples, paid for once');
});

test('hx check: readouts serve another estimator, also those of a check that took its samples from another', async () => {
  const variables = await serve();
  const run = async (...more: string[]) => {
    const argv = ['check', 'Rivers bend', '--model', 'compatible/m', '--json', ...more];
    return JSON.parse((await hx(argv, variables)).stdout);
  };
  const samples = await run();
  const readouts = await run('--readout');
  assert.equal([readouts.calls_made, readouts.samples_reused], [16, 32]);
  for (const more of [
    ['--ci', 't'],
    ['-B', '900'],
  ]) {
    const other = await run('--readout', '--explain', ...more);
    assert.equal([other.calls_made, other.samples_reused, other.n_readouts], [0, 32, 16], more.join(' '));
    assert.is(other.prob_true_logprob, readouts.prob_true_logprob);
    const { reused_from, readouts_from } = other.sampler_json;
    assert.equal([reused_from, readouts_from], [samples.run_id, readouts.run_id]);
    assert.equal([other.explanation.estimates.length, other.explanation.readouts.length], [3, 16]);
    const cached = await run('--readout', '--explain', ...more);
    assert.equal([cached.was_cached, cached.explanation], [true, other.explanation]);
  }
  assert.is(readoutCalls(), 16);
});

test('an endpoint that gives no probabilities: the check succeeds and says how many', async () => {
  const variables = await serve((index) =>
    index < 3 ? { type: 'word' } : index === 3 ? { type: 'refusal' } : WORD,
  );
  const argv = ['check', 'Some are silent', '--model', 'compatible/m', '--readout', '--concurrency', '1'];
  const { exitCode, stdout } = await hx(argv, variables);
  assert.is(exitCode, 0);
  assert.match(
    stdout,
    '12/16 templates, 20 % of the mass elsewhere, 3 without token probabilities, 1 refused',
  );
  await server?.close();
  const none = await hx(
    [...argv, '--json'].map((text) => (text === 'Some are silent' ? 'All are' : text)),
    await serve(() => ({ type: 'word' })),
  );
  const run = JSON.parse(none.stdout);
  assert.equal([none.exitCode, run.n_readouts, run.prob_true_logprob], [0, 0, null]);
  assert.equal(run.readouts_by_status_json, { no_logprobs: 16 });
});

test('a provider without token probabilities is refused before anything is asked or stored', async () => {
  const variables = { ...(await serve()), ANTHROPIC_API_KEY: 'k', ANTHROPIC_BASE_URL: server?.origin ?? '' };
  for (const argv of [
    ['check', 'Never asked', '--readout', '--model', 'anthropic/claude-haiku-4-5'],
    ['check', 'Never asked', '--readout', '--model', 'anthropic/claude-haiku-4-5', '--model', 'compatible/m'],
    ['check', 'Never asked', '--readout', '--model', 'anthropic/claude-haiku-4-5', '--dry-run'],
    ['research', 'Never asked', '--readout', '--model', 'anthropic/claude-haiku-4-5'],
  ]) {
    const { exitCode, stderr } = await hx(argv, variables);
    assert.is(exitCode, 2, argv.join(' '));
    assert.match(stderr, /anthropic gives no token probabilities[\s\S]*openai, xai, compatible or simulator/);
  }
  assert.is(server?.calls.length, 0);
  const [row] = await database.sql`select count(*)::int as found from checks where claim = 'Never asked'`;
  assert.is(row?.['found'], 0);
});

test('several models: each has its own readouts', async () => {
  const variables = await serve();
  const argv = [
    'check',
    'Two models',
    '--readout',
    '--model',
    'compatible/m',
    '--model',
    'openai/m',
    '--json',
  ];
  const { results } = JSON.parse((await hx(argv, variables)).stdout);
  assert.equal(
    results.map(({ check }: { check: { n_readouts: number } }) => check.n_readouts),
    [16, 16],
  );
  assert.is(readoutCalls(), 32);
  const human = await hx([...argv.slice(0, -1)], variables);
  assert.match(human.stdout, /] {2}readout 0\.250 {2}compatible\/m/);
});

test('--max-cost covers readouts: it stops, keeps what came and carries on from there', async () => {
  writeFileSync(
    join(folder, 'prices.yaml'),
    'date: 2026-11-22\nmodels:\n  compatible/m: { input: 1.00, output: 0.00 }\n',
  );
  const variables = { ...(await serve()), HX_PRICES: join(folder, 'prices.yaml') };
  const argv = [
    'check',
    'Money is short',
    '--model',
    'compatible/m',
    '--readout',
    '--json',
    '--concurrency',
    '1',
  ];
  // Each call costs $0.00009; beside the worst case of one call there is room for all samples and some readouts.
  const limitUsd = 0.0057;
  const short = await hx([...argv, '--max-cost', String(limitUsd)], variables);
  assert.is(short.exitCode, 4, short.stderr);
  assert.match(short.stderr, /All 32 samples and \d+ of 16 readouts are stored/);
  const paid = readoutCalls();
  assert.ok(paid > 0 && paid < 16, `${paid} readouts`);
  assert.ok(((32 + paid) * 90) / 1e6 <= limitUsd);
  const run = JSON.parse((await hx([...argv, '--max-cost', '1'], variables)).stdout);
  assert.equal([run.n_readouts, run.calls_made, readoutCalls()], [16, 48, 16]);
  assert.is(Number(run.cost_usd), (48 * 90) / 1e6);
  const plan = JSON.parse((await hx([...argv, '--dry-run'], variables)).stdout);
  assert.equal([plan.samples, plan.readouts, plan.calls], [32, 16, { likely: 48, most: 80 }]);
});

test('hx research: readouts are stored with the run, in the lake, and serve other runs of the claim', async () => {
  const variables = await serve();
  const argv = ['research', CLAIM, '--model', 'compatible/m', '--readout', '--json'];
  const first = JSON.parse((await hx(argv, variables)).stdout);
  assert.equal([first.n_readouts, first.calls_made, stored()], [16, 48, 16]);
  const other = JSON.parse((await hx([...argv, '-B', '600', '--explain'], variables)).stdout);
  assert.equal([other.n_readouts, other.calls_made, readoutCalls()], [16, 0, 16]);
  assert.is(other.prob_true_logprob, first.prob_true_logprob);
  assert.is(other.explanation.readouts.length, 16);
  assert.equal(read('select reused, count(*) as readouts from execution_readouts group by 1 order by 1'), [
    { reused: 0, readouts: 16 },
    { reused: 1, readouts: 16 },
  ]);
  const sql = 'select n_readouts, prob_true_logprob, model_changed from checks';
  const { stdout } = await hx(['query', sql, '--format', 'json']);
  const row = { n_readouts: 16, prob_true_logprob: first.prob_true_logprob, model_changed: false };
  assert.equal(JSON.parse(stdout), [row, row]);
  const again = JSON.parse((await hx([...argv, '--no-cache'], variables)).stdout);
  assert.equal([again.n_readouts, readoutCalls()], [16, 32]);
});

test('kill -9 among the readouts loses only those in flight, and none is asked for twice', async () => {
  const entry = fileURLToPath(new URL('../entry.ts', import.meta.url));
  const argv = [
    'research',
    CLAIM,
    '--model',
    'simulator/slow',
    '-R',
    '1',
    '--readout',
    '--concurrency',
    '4',
    '--json',
  ];
  const env = { PATH: process.env['PATH'], HX_DATA_DIR: join(folder, 'data') };
  const child = spawn(process.execPath, ['--import', 'tsx', entry, ...argv], { env, stdio: 'ignore' });
  while (stored() < 4) {
    assert.is(child.exitCode, null, 'the run ended before it could be killed');
    await sleep(20);
  }
  child.kill('SIGKILL');
  await once(child, 'exit');
  const kept = stored();
  const run = JSON.parse((await hx(argv)).stdout);
  assert.ok(kept >= 4 && kept < 16, `${kept} kept`);
  assert.equal([run.calls_made, run.n_readouts, run.samples_reused], [32, 16, 0]);
  assert.is(read('select distinct readout_key from readouts').length, 16);
  assert.is(stored(), 16);
});

test('a readout that failed is asked for again by the next run of the claim, and no other is', async () => {
  const variables = await serve();
  const argv = ['research', CLAIM, '--model', 'compatible/m', '--readout', '--json'];
  await hx(argv, variables);
  const sqlite = new Database(join(folder, 'data', 'research.sqlite'));
  sqlite
    .prepare("update readouts set status = 'failed', prob_true = null where template_id = 'check-fact'")
    .run();
  sqlite.close();
  const other = JSON.parse((await hx([...argv, '-B', '600'], variables)).stdout);
  assert.equal([other.n_readouts, other.calls_made, readoutCalls()], [16, 1, 17]);
});

test('a run to a wanted width reads out every template that it grew to', async () => {
  const argv = ['research', CLAIM, '--model', 'simulator/noisy', '--width', '0.3', '--readout', '--json'];
  const run = JSON.parse((await hx(argv)).stdout);
  assert.ok(run.t >= 8);
  const counts = Object.values(run.readouts_by_status_json as Record<string, number>);
  assert.is(
    counts.reduce((sum, count) => sum + count, 0),
    run.t,
  );
});

test('the simulator reads out near its latent belief, the same every time', async () => {
  const argv = ['research', CLAIM, '--model', 'simulator/default', '--readout', '--json'];
  const run = JSON.parse((await hx(argv)).stdout);
  assert.is(run.simulated, true);
  assert.ok(Math.abs(run.prob_true_logprob - run.prob_true_rpl) < 0.1);
  assert.ok(run.logprob_mass_other > 0 && run.logprob_mass_other < 0.06);
  removeFolder(join(folder, 'data'));
  const again = JSON.parse((await hx(argv)).stdout);
  assert.equal(
    [again.prob_true_logprob, again.logprob_mass_other],
    [run.prob_true_logprob, run.logprob_mass_other],
  );
});

test.run();
