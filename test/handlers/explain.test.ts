import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createTestDatabase, makeTempFolder, removeFolder, runHx } from '../helpers.js';

const explain = suite('--explain and --plan');

let folder: string;
explain.before.each(() => {
  folder = makeTempFolder();
});
explain.after.each(() => removeFolder(folder));

const NOISY = ['--model', 'simulator/noisy'] as const;

interface Explained {
  readonly estimates: readonly Readonly<Record<string, number | string>>[];
  readonly templates: readonly { readonly answers: number }[];
  readonly variance: { readonly template_share: number; readonly replicate_share: number } | null;
  readonly costs: readonly unknown[];
}

/** The estimate of that name, as the run's own columns. */
function under(explanation: Explained, estimator: string) {
  return explanation.estimates.find((one) => one['estimator'] === estimator);
}

function ownInterval(run: Readonly<Record<string, unknown>>) {
  const { estimator, prob_true_rpl, ci_lo, ci_hi, ci_width } = run;
  return { estimator, prob_true_rpl, ci_lo, ci_hi, ci_width };
}

explain("research: the run's own estimate is among them, byte for byte, whichever it is", async () => {
  const measure = async (...argv: string[]) =>
    JSON.parse(
      (await runHx(['research', 'A claim', ...NOISY, '--explain', '--json', ...argv], { folder })).stdout,
    );
  for (const estimator of ['rpl-2', 'rpl-1', 't']) {
    const run = await measure('--estimator', estimator);
    assert.equal(under(run.explanation, estimator), ownInterval(run));
    const answers = run.explanation.templates.map((one: { answers: number }) => one.answers);
    assert.is(
      answers.reduce((sum: number, count: number) => sum + count, 0),
      run.n_usable,
    );
  }
  const once = await measure('-R', '1');
  assert.is(once.explanation.variance, null);
  assert.is(
    'explanation' in
      JSON.parse((await runHx(['research', 'A claim', ...NOISY, '--json'], { folder })).stdout),
    false,
  );
});

explain('check: also of an answer from the cache, whose answers belong to another run', async () => {
  const { url, drop } = await createTestDatabase({ environment: 'local' });
  const check = async (...argv: string[]) =>
    runHx(['check', 'A claim', ...NOISY, '--explain', ...argv], { folder, env: { DATABASE_URL: url } });
  const first = JSON.parse((await check('--json')).stdout);
  const again = JSON.parse((await check('--json')).stdout);
  const text = (await check()).stdout;
  await drop();
  assert.is(again.was_cached, true);
  assert.equal(under(first.explanation, 'rpl-2'), ownInterval(first));
  assert.equal(again.explanation, first.explanation);
  const { template_share, replicate_share } = first.explanation.variance;
  assert.ok(Math.abs(template_share + replicate_share - 1) < 1e-12);
  assert.match(text, /the same answers under every estimator\n {5}rpl-1 {2}p = /);
  assert.match(text, /sigma \d\.\d{3} /);
  assert.match(text, /0\.30 {2}\d+ calls \(T=\d+, R=\d+\)/);
});

explain('a run to a wanted width is explained under its own estimator too, byte for byte', async () => {
  const { url, drop } = await createTestDatabase({ environment: 'local' });
  for (const width of ['0.08', '0.03']) {
    for (const command of ['research', 'check']) {
      const argv = [command, 'A claim 0.3', '--model', 'simulator/default', '--bank', 'wide', '--json'];
      const env = { DATABASE_URL: url };
      const { stdout } = await runHx([...argv, '--width', width, '--explain'], { folder, env });
      const run = JSON.parse(stdout);
      assert.is(run.estimator, 'stein');
      assert.equal(under(run.explanation, 'stein'), ownInterval(run), `${command} ${width}`);
    }
  }
  await drop();
});

explain('samples from elsewhere are not told about options that they have nothing to do with', async () => {
  const stdin = [0.01, 0.3, 0.99]
    .map((prob_true, index) => JSON.stringify({ template: `t${index}`, replicate: 0, prob_true }))
    .join('\n');
  const once = await runHx(['estimate', '-', '--explain'], { folder, stdin });
  assert.match(once.stdout, 'one answer a template cannot tell wording from chance');
  const second = stdin.replaceAll('"replicate":0', '"replicate":1');
  const twice = await runHx(['estimate', '-', '--explain'], { folder, stdin: `${stdin}\n${second}` });
  assert.match(twice.stdout, 'more templates than any bank that ships with hx has');
  for (const { exitCode, stdout } of [once, twice]) {
    assert.is(exitCode, 0);
    assert.not.match(stdout, /-R|the bank/);
  }
});

explain('estimate explains samples that were taken elsewhere', async () => {
  const stdin = [0.2, 0.3, 0.5, 0.4]
    .flatMap((p, index) =>
      [0, 1].map((replicate) => ({ template: `t${index}`, replicate, prob_true: p + replicate / 10 })),
    )
    .map((sample) => JSON.stringify(sample))
    .join('\n');
  const { stdout } = await runHx(['estimate', '-', '--explain', '--json'], { folder, stdin });
  const result = JSON.parse(stdout);
  assert.equal(under(result.explanation, 'rpl-2'), ownInterval(result));
});

explain('a plan says what a width takes and where its spread comes from; nothing is asked', async () => {
  const plan = async (...argv: string[]) => {
    const run = await runHx(['check', 'A claim', '--plan', '--json', ...argv], { folder });
    assert.is(run.exitCode, 0, run.stderr);
    return JSON.parse(run.stdout);
  };
  const assumed = await plan('--width', '0.15');
  assert.is(assumed.spread_source, 'assumed');
  assert.ok(assumed.cheapest.expected_width <= 0.15);
  assert.ok(assumed.cheapest.calls <= assumed.as_is.calls);
  const given = await plan(
    '--width',
    '0.15',
    '--tau',
    '1',
    '--sigma',
    '0.5',
    '--bank',
    'wide',
    '--max-calls',
    '40',
  );
  assert.is(given.spread_source, 'given');
  assert.is(given.two_stage.most_calls, 40);
  assert.is(given.two_stage.is_enough, false);
  const steady = await plan('--width', '0.3', '--tau', '0', '--sigma', '0');
  assert.is(steady.two_stage.expected_calls, steady.two_stage.first_calls);
  assert.match(
    (await runHx(['check', 'A', '--plan', '--width', '0.15'], { folder })).stdout,
    /an assumption/,
  );
  assert.is((await runHx(['check', 'A', '--plan'], { folder })).exitCode, 2);
});

explain('a plan with a model says what it likely costs, as a dry run of that size does', async () => {
  const argv = ['check', 'A claim', '--model', 'openai/gpt-4.1-mini', '--readout'];
  const run = async (...more: string[]) => {
    const { exitCode, stdout, stderr } = await runHx([...argv, ...more], { folder });
    assert.is(exitCode, 0, stderr);
    return stdout;
  };
  const { as_is, cost_usd, price_date } = JSON.parse(await run('--plan', '--width', '0.15', '--json'));
  const dry = JSON.parse(await run('--dry-run', '--json'));
  assert.is(as_is.calls, dry.samples);
  assert.equal([cost_usd.as_is, price_date], [dry.cost_usd.likely, dry.price_date]);
  const perWidth = JSON.parse(await run('--dry-run', '--width', '0.15', '--json'));
  assert.ok(Number(cost_usd.expected) >= Number(perWidth.cost_usd.likely), 'no less than the first stage');
  assert.ok(Number(cost_usd.most) >= Number(cost_usd.expected));
  assert.match(await run('--plan', '--width', '0.15'), /as it stands .*\(\$0\.0\d+\)/);
  const told = async (model: string) =>
    (await runHx(['check', 'A', '--plan', '--width', '0.15', '--model', model], { folder })).stdout;
  assert.match(await told('openai/unheard-of'), 'no price of openai/unheard-of is known');
  assert.match(await told('simulator/default'), 'no cost, as no model is asked');
});

explain.run();
