import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sleep } from '../../src/base/time.js';
import { createTestDatabase, runHx, type TestDatabase } from '../helpers.js';
import { type ModelServer, type ModelServerOptions, startModelServer } from '../models/server.js';

const check = suite('hx check');

let database: TestDatabase;
let server: ModelServer | undefined;

check.before.each(async () => {
  database = await createTestDatabase();
});
check.after.each(async () => {
  await server?.close();
  server = undefined;
  await database.drop();
});

const hx = (argv: string[], variables: Record<string, string> = {}, signal?: AbortSignal) =>
  runHx(['check', ...argv], { env: { ...database.variables, ...variables }, ...(signal ? { signal } : {}) });

async function serve(options: ModelServerOptions): Promise<Record<string, string>> {
  server = await startModelServer(options);
  return { HX_COMPATIBLE_BASE_URL: server.baseUrl };
}

const CLAIM = 'Tides are caused by the moon';

check('a check is measured and stored with its attempts', async () => {
  const { exitCode, stdout } = await hx([CLAIM, '--model', 'simulator/default', '--json']);
  assert.is(exitCode, 0);
  const record = JSON.parse(stdout);
  const [row] = await database.sql`select * from checks`;
  assert.is(row?.['run_id'], record.run_id);
  assert.is(row?.['prob_true_rpl'], record.prob_true_rpl);
  assert.is(row?.['bootstrap_seed'], record.bootstrap_seed);
  assert.equal(row?.['config_json'], record.config_json);
  assert.is(row?.['simulated'], true);
  assert.is(row?.['was_cached'], false);
  const [attempts] =
    await database.sql`select count(*)::int as stored from attempts where run_id = ${record.run_id}`;
  assert.is(attempts?.['stored'], 32);
});

check('an identical check is answered from the cache, as a row of its own that says so', async () => {
  const argv = [CLAIM, '--model', 'simulator/default', '--json'];
  const first = JSON.parse((await hx(argv)).stdout);
  const second = JSON.parse((await hx(argv)).stdout);
  assert.is(second.was_cached, true);
  assert.is(second.cached_from, first.run_id);
  assert.is.not(second.run_id, first.run_id);
  assert.is(second.prob_true_rpl, first.prob_true_rpl);
  assert.is(second.calls_made, 0);
  const [counts] = await database.sql`
    select (select count(*)::int from checks) as checks, (select count(*)::int from attempts) as attempts`;
  assert.equal({ ...counts }, { checks: 2, attempts: 32 });
  const human = await hx(argv.slice(0, -1));
  assert.match(human.stdout, 'answered from the cache, no calls made');
  const fresh = JSON.parse((await hx([...argv, '--no-cache'])).stdout);
  assert.is(fresh.was_cached, false);
  const other = JSON.parse((await hx([...argv, '-B', '1000'])).stdout);
  assert.is(other.was_cached, false);
});

check('a cached result is not answered after its time', async () => {
  const argv = [CLAIM, '--model', 'simulator/default', '--json'];
  await hx(argv);
  await database.sql.begin(async (sql) => {
    await sql`select set_config('hx.env', 'local', true)`;
    await sql`update result_cache set created_at = created_at - interval '8 days', expires_at = now() - interval '1 day'`;
  });
  assert.is(JSON.parse((await hx(argv)).stdout).was_cached, false);
});

check('a model over HTTP: every fault is retried or counted, none is lost', async () => {
  const variables = await serve({
    respond: (_request, index) => {
      if (index === 3) return { type: 'error', status: 429, headers: { 'retry-after': '0' } };
      if (index === 5) return { type: 'error', status: 500, headers: { 'retry-after': '0' } };
      if (index === 7) return { type: 'off-schema' };
      if (index === 9) return { type: 'refusal' };
      if (index === 11) return { type: 'fenced', probTrue: 0.7 };
      return { type: 'good', probTrue: 0.7 };
    },
  });
  // One at a time, and each second try at once, so that none meets the fault that is meant for another sample.
  const argv = [CLAIM, '--model', 'compatible/test-model', '--concurrency', '1', '--json'];
  const { exitCode, stdout } = await hx(argv, variables);
  assert.is(exitCode, 0);
  const record = JSON.parse(stdout);
  assert.is(record.calls_made, 35);
  assert.is(record.n_usable, 31);
  assert.is(record.n_refused, 1);
  assert.is(record.compliance_strict_first, 29 / 32);
  assert.is(record.compliance_repaired, 1 / 32);
  assert.is(record.gate_compliance, false);
  assert.is(record.simulated, false);
  assert.is(record.cost_usd, null);
  assert.ok(record.tokens_in > 0);
  assert.is(server?.calls.length, 35);
  const rows =
    await database.sql`select status, count(*)::int as stored from attempts group by status order by status`;
  const counts = Object.fromEntries(rows.map(({ status, stored }) => [status, stored]));
  assert.equal(counts, { failed: 2, invalid: 1, refused: 1, repaired: 1, valid: 30 });
});

check('Ctrl-C keeps what came; the same command carries on with the rest', async () => {
  const variables = await serve({ latencyMs: 60 });
  const controller = new AbortController();
  const argv = [CLAIM, '--model', 'compatible/test-model', '--concurrency', '4', '--json'];
  const running = hx(argv, variables, controller.signal);
  const stored = async () =>
    (await database.sql`select count(*)::int as n from attempts`)[0]?.['n'] as number;
  while ((await stored()) < 4) await sleep(10);
  controller.abort(Object.assign(new Error('stop'), { name: 'AbortError' }));
  const { exitCode, stdout, stderr } = await running;
  assert.is(exitCode, 130);
  assert.is(stdout, '');
  assert.match(stderr, 'of 32 answers are stored');
  const kept = await stored();
  assert.ok(kept < 32);
  const before = server?.calls.length ?? 0;
  const record = JSON.parse((await hx(argv, variables)).stdout);
  assert.is((server?.calls.length ?? 0) - before, 32 - kept);
  assert.is(record.calls_made, 32);
  assert.is(record.n_usable, 32);
});

check('a resumed sample whose stored answer was unusable gets its one retry, and no more', async () => {
  const variables = await serve({
    respond: (_request, index) => {
      if (index === 1) return { type: 'expired' };
      return { type: index === 0 || index === 2 ? 'off-schema' : 'good' };
    },
  });
  const argv = [CLAIM, '--model', 'compatible/test-model', '--concurrency', '1', '--json'];
  assert.is((await hx(argv, variables)).exitCode, 3);
  const record = JSON.parse((await hx(argv, variables)).stdout);
  assert.equal([record.n_invalid, record.calls_made, server?.calls.length], [1, 34, 34]);
  const statuses = await database.sql`
    select ordinal, status from attempts
    where sample_key in (select sample_key from attempts where status = 'invalid') order by ordinal`;
  assert.equal(
    statuses.map(({ ordinal, status }) => `${ordinal} ${status}`),
    ['1 invalid', '2 failed', '3 invalid'],
  );
});

check('with --no-cache too the same command carries on, and once it ended begins anew', async () => {
  const variables = await serve({ latencyMs: 60 });
  const controller = new AbortController();
  const argv = [CLAIM, '--model', 'compatible/test-model', '--concurrency', '4', '--no-cache', '--json'];
  const running = hx(argv, variables, controller.signal);
  while ((server?.calls.length ?? 0) < 9) await sleep(10);
  controller.abort(Object.assign(new Error('stop'), { name: 'AbortError' }));
  const { exitCode, stderr } = await running;
  assert.is(exitCode, 130);
  const [, stored] = /(\d+) of 32 answers are stored/.exec(stderr) ?? [];
  assert.match(stderr, 'Run the same command again to carry on from there.');
  const before = server?.calls.length ?? 0;
  const resumed = JSON.parse((await hx(argv, variables)).stdout);
  assert.is((server?.calls.length ?? 0) - before, 32 - Number(stored));
  assert.equal([resumed.calls_made, resumed.n_usable], [32, 32]);
  const anew = JSON.parse((await hx(argv, variables)).stdout);
  assert.is.not(anew.run_id, resumed.run_id);
  assert.is(anew.calls_made, 32);
  const rows = await database.sql`select run_id, count(*)::int as n from attempts group by run_id`;
  assert.equal(
    rows.map(({ n }) => n),
    [32, 32],
  );
});

check('--no-cache waits for nobody, and too few answers are asked for again', async () => {
  const variables = await serve({
    respond: (_request, index) => ({ type: index < 32 ? 'refusal' : 'good' }),
    latencyMs: 20,
  });
  const argv = [CLAIM, '--model', 'compatible/test-model', '--no-cache', '--json'];
  assert.is((await hx(argv, variables)).exitCode, 1);
  const both = await Promise.all([hx(argv, variables), hx(argv, variables)]);
  const records = both.map(({ stdout }) => JSON.parse(stdout));
  assert.equal(
    records.map(({ calls_made, was_cached }) => [calls_made, was_cached]),
    [
      [32, false],
      [32, false],
    ],
  );
  assert.is.not(records[0].run_id, records[1].run_id);
  assert.is(server?.calls.length, 96);
});

check(
  'the same samples serve another estimator or other resamples, and nothing that was to be measured afresh',
  async () => {
    const variables = await serve({
      respond: (_, index) => ({ type: 'good', probTrue: 0.4 + (index % 5) / 50 }),
    });
    const run = async (...argv: string[]) =>
      JSON.parse(
        (await hx([CLAIM, '--model', 'compatible/test-model', '--json', ...argv], variables)).stdout,
      );
    const first = await run();
    for (const argv of [
      ['--ci', 't'],
      ['-B', '900'],
      ['--seed', '7', '--ci', 'rpl-1'],
    ]) {
      const other = await run(...argv, '--explain');
      assert.equal(
        [other.was_cached, other.calls_made, other.samples_reused],
        [false, 0, 32],
        argv.join(' '),
      );
      assert.equal([other.cost_usd, other.sampler_json.reused_from], [null, first.run_id]);
      assert.equal(other.counts_by_template_json, first.counts_by_template_json);
      assert.is(other.explanation.estimates.length, 3);
      const cached = await run(...argv, '--explain');
      assert.equal([cached.was_cached, cached.explanation], [true, other.explanation]);
    }
    assert.is(server?.calls.length, 32);
    assert.is((await run('-R', '1')).calls_made, 16, 'another size is another set of samples');
    assert.is((await run('--no-cache')).calls_made, 32);
    await database.sql.begin(async (sql) => {
      await sql`select set_config('hx.env', 'local', true)`;
      await sql`update checks set deleted_at = now()`;
    });
    assert.is((await run('-B', '901')).calls_made, 32, 'what was deleted is not used');
  },
);

check('two identical checks at once: one computes, the other waits for its result', async () => {
  const variables = await serve({ latencyMs: 20 });
  const argv = [CLAIM, '--model', 'compatible/test-model', '--json'];
  const both = await Promise.all([hx(argv, variables), hx(argv, variables)]);
  const records = both.map(({ stdout }) => JSON.parse(stdout));
  assert.equal(records.map(({ was_cached }) => was_cached).sort(), [false, true]);
  assert.is(server?.calls.length, 32);
});

check('a computation whose holder died is taken over with its answers when the lease is over', async () => {
  const argv = [CLAIM, '--model', 'simulator/default', '--json'];
  const first = JSON.parse((await hx(argv)).stdout);
  // As a killed process leaves it: some attempts, a lease, no check.
  await database.sql.begin(async (sql) => {
    await sql`select set_config('hx.env', 'local', true)`;
    await sql`update checks set deleted_at = now()`;
    await sql`update result_cache set state = 'pending', result = null, lease_expires_at = now() - interval '1 second',
      run_id = '01890000-0000-7000-8000-000000000001'`;
    await sql`
      insert into attempts (attempt_id, run_id, env, sample_key, template_id, replicate, ordinal, status, prob_true,
        answer_text, problem, model_resolved, system_fingerprint, tokens_in, tokens_out, started_at, latency_ms)
      select gen_random_uuid(), '01890000-0000-7000-8000-000000000001', env, sample_key, template_id, replicate,
        ordinal, status, prob_true, answer_text, problem, model_resolved, system_fingerprint, tokens_in, tokens_out,
        started_at, latency_ms
      from attempts where status in ('valid', 'repaired') limit 20`;
  });
  const resumed = JSON.parse((await hx(argv)).stdout);
  assert.is(resumed.run_id, '01890000-0000-7000-8000-000000000001');
  assert.is(resumed.prob_true_rpl, first.prob_true_rpl);
  const [made] = await database.sql`select count(*)::int as n from attempts where run_id = ${resumed.run_id}`;
  assert.is(made?.['n'], 32);
});

check('too few usable answers: an error that keeps them', async () => {
  const variables = await serve({ respond: () => ({ type: 'refusal' }) });
  const { exitCode, stdout, stderr } = await hx(
    [CLAIM, '--model', 'compatible/test-model', '--json'],
    variables,
  );
  assert.is(exitCode, 1);
  assert.is(stdout, '');
  const { code, message, hint, facts } = JSON.parse(stderr).error;
  assert.is(code, 'insufficient_samples');
  assert.match(message, 'What came: 32 refused. The last problem: The provider reports a refusal.');
  assert.match(hint, '--no-cache');
  assert.equal(facts.samples_by_status, { refused: 32 });
  const [counts] = await database.sql`
    select (select count(*)::int from checks) as checks, (select count(*)::int from attempts) as attempts`;
  assert.equal({ ...counts }, { checks: 0, attempts: 32 });
});

check(
  'an answer that could not be used twice is not paid for a third time, unless measured afresh',
  async () => {
    const variables = await serve({ respond: () => ({ type: 'off-schema' }) });
    const argv = [CLAIM, '--model', 'compatible/test-model', '-K', '4', '-R', '1'];
    for (const [more, calls] of [
      [[], 8],
      [[], 8],
      [['--no-cache'], 16],
    ] as const) {
      const { exitCode, stderr } = await hx([...argv, ...more], variables);
      assert.is(exitCode, 1);
      assert.match(stderr, 'What came: 4 invalid.');
      assert.is(server?.calls.length, calls);
    }
  },
);

check('without a database, or with that of another environment, nothing is asked', async () => {
  const variables = await serve({});
  const argv = [CLAIM, '--model', 'compatible/test-model'];
  const nowhere = await runHx(['check', ...argv], { env: { ...variables } });
  assert.is(nowhere.exitCode, 3);
  assert.match(nowhere.stderr, 'hx db up');
  const crossed = await runHx(['check', ...argv, '--env', 'development'], {
    env: { ...variables, DATABASE_URL_DEV: database.url },
  });
  assert.is(crossed.exitCode, 1);
  assert.match(crossed.stderr, /local/);
  assert.is(server?.calls.length, 0);
});

check('the simulator is refused in production before anything is asked', async () => {
  const production = await createTestDatabase({ environment: 'production' });
  const argv = ['check', CLAIM, '--model', 'simulator/default'];
  const { exitCode, stderr } = await runHx(argv, { env: production.variables });
  assert.is(exitCode, 1);
  assert.match(stderr, 'production holds real checks only');
  const [attempts] = await production.sql`select count(*)::int as n from attempts`;
  assert.is(attempts?.['n'], 0);
  await production.drop();
});

check('what cannot be measured ends with code 2 and stores nothing', async () => {
  for (const argv of [
    ['', '--model', 'simulator/default'],
    ['x'.repeat(20_000), '--model', 'simulator/default'],
    ['bin\u0000ary', '--model', 'simulator/default'],
    [CLAIM],
    [CLAIM, '--model', 'nope/x'],
    [CLAIM, '--model', 'simulator/default', '--env', 'staging'],
    [CLAIM, '--model', 'simulator/default', '-K', '1'],
  ]) {
    const { exitCode, stdout, stderr } = await hx(argv);
    assert.is(exitCode, 2, stderr);
    assert.is(stdout, '');
    assert.match(stderr, /^hx: .+\n {4}.+/);
  }
  const [rows] = await database.sql`select count(*)::int as n from checks`;
  assert.is(rows?.['n'], 0);
});

check('a claim comes from standard input too', async () => {
  const argv = ['check', '-', '--model', 'simulator/default', '--json'];
  const { stdout } = await runHx(argv, { env: database.variables, stdin: '  Piped claim\n' });
  assert.is(JSON.parse(stdout).claim, 'Piped claim');
});

check.run();
