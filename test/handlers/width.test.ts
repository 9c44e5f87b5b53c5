import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sleep } from '../../src/base/time.js';
import { createTestDatabase, makeTempFolder, removeFolder, runHx } from '../helpers.js';

const width = suite('--width');

let folder: string;
width.before.each(() => {
  folder = makeTempFolder();
});
width.after.each(() => removeFolder(folder));

/** Its simulated belief is near a half, where an interval is widest. */
const CLAIM = 'A claim 0.3';

const measure = (argv: readonly string[], where = folder, signal = new AbortController().signal) =>
  runHx(['research', CLAIM, '--bank', 'wide', '--json', ...argv], { folder: where, signal });

function attemptsStored(): number {
  const path = join(folder, 'data', 'research.sqlite');
  if (!existsSync(path)) return 0;
  const sqlite = new Database(path, { readonly: true });
  const table = sqlite.prepare("select 1 from sqlite_master where name = 'attempts'").get();
  const stored = table === undefined ? [] : sqlite.prepare('select 1 from attempts').all();
  sqlite.close();
  return stored.length;
}

width('asks the first stage, then what its answers call for, and says how many that were', async () => {
  const wide = JSON.parse((await measure(['--model', 'simulator/default', '--width', '0.3'])).stdout);
  assert.is(wide.n_samples, 16);
  assert.is(wide.estimator, 'stein');
  const { exitCode, stdout, stderr } = await measure(['--model', 'simulator/default', '--width', '0.08']);
  assert.is(exitCode, 0);
  assert.is(stderr, '');
  const narrow = JSON.parse(stdout);
  assert.ok(narrow.t > 8 && narrow.t < 32, `${narrow.t} templates`);
  assert.is(narrow.n_samples, narrow.t * 2);
  // The answers of the first stage were there already, from the wider measurement.
  assert.is(narrow.samples_reused, 16);
  assert.equal(narrow.sampler_json.growth, {
    width: 0.08,
    max_calls: null,
    first_templates: 8,
    needed_templates: narrow.t,
    limited_by: null,
  });
  assert.is(
    JSON.parse((await measure(['--model', 'simulator/default', '--width', '0.08'])).stdout).reused,
    true,
  );
});

width('a limit that binds is named, and the interval is honest but wider', async () => {
  const argv = ['--model', 'simulator/noisy', '--width', '0.05'];
  const limited = await measure([...argv, '--max-calls', '25']);
  assert.is(limited.exitCode, 0);
  assert.match(
    limited.stderr,
    /calls for \d+ templates; --max-calls allows 25, so 12 are asked \(24 samples\)/,
  );
  const run = JSON.parse(limited.stdout);
  assert.is(run.sampler_json.growth.limited_by, 'max_calls');
  assert.is(run.t, 12);
  const whole = await measure(argv);
  assert.match(whole.stderr, /the bank has no more, so 32 are asked/);
  assert.is(JSON.parse(whole.stdout).sampler_json.growth.limited_by, 'bank');
});

width('interrupted in its second stage, it carries on to the same result', async () => {
  const measurement = ['--model', 'simulator/slow', '--width', '0.05'];
  const argv = [...measurement, '--concurrency', '4'];
  const controller = new AbortController();
  const interrupted = measure(argv, folder, controller.signal);
  let ended = false;
  const end = interrupted.finally(() => {
    ended = true;
  });
  while (attemptsStored() < 18 && !ended) await sleep(20);
  controller.abort(Object.assign(new Error('stop'), { name: 'AbortError' }));
  assert.is((await end).exitCode, 130);
  const stored = attemptsStored();
  const resumed = JSON.parse((await measure(argv)).stdout);
  assert.ok(stored < resumed.n_samples, `${stored} of ${resumed.n_samples}`);
  assert.is(attemptsStored(), resumed.n_samples);
  const elsewhere = makeTempFolder();
  const atOnce = JSON.parse((await measure([...measurement, '--concurrency', '64'], elsewhere)).stdout);
  removeFolder(elsewhere);
  for (const column of ['config_hash', 't', 'prob_true_rpl', 'ci_lo', 'ci_hi', 'sampler_json']) {
    assert.equal(resumed[column], atOnce[column], column);
  }
});

width('hx check grows as well, and an identical check comes from the cache', async () => {
  const { url, drop } = await createTestDatabase({ environment: 'local' });
  const argv = [
    'check',
    CLAIM,
    '--model',
    'simulator/default',
    '--bank',
    'wide',
    '--width',
    '0.08',
    '--json',
  ];
  const first = JSON.parse((await runHx(argv, { folder, env: { DATABASE_URL: url } })).stdout);
  const again = JSON.parse((await runHx(argv, { folder, env: { DATABASE_URL: url } })).stdout);
  await drop();
  assert.ok(first.t > 8 && first.n_samples === first.t * 2);
  assert.is(first.calls_made, first.n_samples);
  assert.is(again.was_cached, true);
  assert.is(again.ci_lo, first.ci_lo);
});

width('hx check, interrupted in its second stage, carries on and counts right', async () => {
  const { url, drop } = await createTestDatabase({ environment: 'local' });
  const { default: postgres } = await import('postgres');
  const sql = postgres(url, { max: 1 });
  const argv = ['check', CLAIM, '--model', 'simulator/slow', '--bank', 'wide', '--width', '0.05', '--json'];
  const controller = new AbortController();
  const env = { DATABASE_URL: url };
  let ended = false;
  const end = runHx([...argv, '--concurrency', '4'], { folder, env, signal: controller.signal }).finally(
    () => {
      ended = true;
    },
  );
  while (!ended && (await sql`select 1 from attempts`).length < 18) await sleep(20);
  controller.abort(Object.assign(new Error('stop'), { name: 'AbortError' }));
  const interrupted = await end;
  const resumed = JSON.parse((await runHx([...argv, '--concurrency', '64'], { folder, env })).stdout);
  const stored = await sql`select distinct sample_key from attempts`;
  await sql.end();
  await drop();
  assert.is(interrupted.exitCode, 130);
  const [, kept, planned] = /(\d+) of (\d+) answers are stored/.exec(interrupted.stderr) ?? [];
  assert.ok(Number(kept) < Number(planned), interrupted.stderr);
  assert.is(resumed.calls_made, resumed.n_samples);
  assert.is(stored.length, resumed.n_samples);
  assert.is(resumed.n_usable, resumed.n_samples);
});

width('kill -9 in the second stage loses only calls in flight, in either lane', async () => {
  const { url, sql, drop } = await createTestDatabase({ environment: 'local' });
  const entry = fileURLToPath(new URL('../entry.ts', import.meta.url));
  const inPostgres = async () => (await sql`select 1 from attempts`).length;
  const env = { HX_DATA_DIR: join(folder, 'data'), DATABASE_URL: url };
  for (const [command, count] of [
    ['research', async () => attemptsStored()],
    ['check', inPostgres],
  ] as const) {
    const argv = [command, CLAIM, '--model', 'simulator/slow', '--bank', 'wide', '--width', '0.05', '--json'];
    const child = spawn(process.execPath, ['--import', 'tsx', entry, ...argv, '--concurrency', '4'], {
      env: { PATH: process.env['PATH'], ...env },
      stdio: 'ignore',
    });
    while ((await count()) < 18) {
      assert.is(child.exitCode, null, `${command} ended before it could be killed`);
      await sleep(20);
    }
    child.kill('SIGKILL');
    await once(child, 'exit');
    const kept = await count();
    // As if the fifteen seconds had gone by after which a silent process is taken for dead.
    await sql.begin(async (transaction) => {
      await transaction`select set_config('hx.env', 'local', true)`;
      await transaction`update result_cache set lease_expires_at = now() where state = 'pending'`;
    });
    const run = JSON.parse((await runHx([...argv, '--concurrency', '64'], { folder, env })).stdout);
    assert.ok(kept >= 18 && kept < run.n_samples, `${command}: ${kept} of ${run.n_samples}`);
    assert.equal([run.calls_made, run.n_usable], [run.n_samples, run.n_samples], command);
    assert.is(await count(), run.n_samples, command);
  }
  await drop();
});

width('what contradicts a width is refused', async () => {
  const refused = async (...argv: string[]) => {
    const { exitCode, stderr } = await measure(['--model', 'simulator/default', ...argv]);
    assert.is(exitCode, 2);
    return stderr;
  };
  assert.match(await refused('--width', '0.1', '-K', '8'), /settles k itself/);
  assert.match(await refused('--width', '0.1', '--estimator', 'rpl-1'), /settles estimator itself/);
  assert.match(await refused('--max-calls', '30'), /none is given/);
  assert.match(await refused('--width', '0.1', '--max-calls', '10'), /first stage alone takes 16/);
  assert.match(await refused('--width', '2'), /width/);
});

width.run();
