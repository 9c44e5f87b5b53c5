import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DryRun } from '../../src/handlers/dry-run.js';
import { DEFAULT_DECODING } from '../../src/rpl/plan.js';
import { makeTempFolder, removeFolder, runHx } from '../helpers.js';
import { serverVariables, withServer } from '../models/samples.js';
import { type Behaviour, startModelServer } from '../models/server.js';

const dryRun = suite('--dry-run');

let folder: string;
dryRun.before.each(() => {
  folder = makeTempFolder();
});
dryRun.after.each(() => removeFolder(folder));

async function forecast(...argv: string[]): Promise<DryRun> {
  const { exitCode, stdout, stderr } = await runHx([...argv, '--dry-run', '--json'], { folder });
  assert.equal([exitCode, stderr], [0, '']);
  return JSON.parse(stdout) as DryRun;
}

dryRun('needs no key and no database, makes nothing, and says the same for check and research', async () => {
  const argv = ['Tides are caused by the moon', '--model', 'gpt-4.1-mini'];
  const check = await forecast('check', ...argv, '--env', 'production');
  assert.equal(await forecast('research', ...argv), check);
  assert.equal(
    [check.model, check.samples, check.calls],
    ['openai/gpt-4.1-mini', 32, { likely: 32, most: 64 }],
  );
  // Every call may fill its answer, and every sample may take two.
  assert.is(check.tokens_out.most, 64 * DEFAULT_DECODING.maxOutputTokens);
  assert.ok(Number(check.cost_usd?.likely) > 0);
  assert.ok(Number(check.cost_usd?.most) > Number(check.cost_usd?.likely));
  assert.equal(readdirSync(folder), []);
});

dryRun('counts every claim of a file, and names the lines that cannot be read', async () => {
  const file = join(folder, 'claims.jsonl');
  writeFileSync(file, '{"claim": "One"}\n{"claim": "Two"}\n');
  const argv = ['--claims', file, '--model', 'grok-4', '-K', '8', '-R', '1'];
  const both = await forecast('research', ...argv);
  assert.equal([both.claims, both.samples], [2, 16]);
  writeFileSync(file, '{"claim": "One"}\nnonsense\n');
  const { exitCode, stdout, stderr } = await runHx(['research', ...argv, '--dry-run'], { folder });
  assert.is(exitCode, 2);
  assert.match(stdout, '1 claim, 8 samples');
  assert.match(stderr, 'line 2');
});

dryRun('what a run then takes lies within it, even when every answer has to be asked for again', async () => {
  writeFileSync(
    join(folder, 'p.yaml'),
    'date: 2026-11-22\nmodels: { compatible/m: { input: 10, output: 20 } }\n',
  );
  for (const type of ['good', 'off-schema'] as const) {
    const respond = (_: unknown, index: number): Behaviour => (index % 2 === 0 ? { type } : { type: 'good' });
    await withServer(startModelServer({ respond }), async ({ origin, calls }) => {
      const argv = ['research', 'A claim', '--model', 'compatible/m', '--concurrency', '1', '--json'];
      const options = { folder, env: { ...serverVariables(origin), HX_PRICES: 'p.yaml' } };
      const planned: DryRun = JSON.parse((await runHx([...argv, '--dry-run'], options)).stdout);
      assert.is(calls.length, 0, 'nothing was sent');
      const run = JSON.parse((await runHx(argv, options)).stdout);
      assert.is(calls.length, run.calls_made);
      if (type === 'good') assert.is(run.calls_made, planned.calls.likely);
      assert.ok(run.calls_made <= planned.calls.most);
      assert.ok(run.tokens_in <= planned.tokens_in.most && run.tokens_out <= planned.tokens_out.most);
      assert.ok(Number(run.cost_usd) <= Number(planned.cost_usd?.most));
    });
  }
});

dryRun('an unknown price is said, a simulated model costs nothing', async () => {
  assert.is((await forecast('check', 'A', '--model', 'compatible/x')).cost_usd, null);
  const { stdout } = await runHx(['check', 'A', '--model', 'compatible/x', '--dry-run'], { folder });
  assert.match(stdout, 'HX_PRICES');
  assert.is((await forecast('check', 'A', '--model', 'simulator/default')).cost_usd?.most, '0.000000');
});

dryRun(
  'what the measurement would refuse is refused: a profile, a model named twice, a limit, a claim',
  async () => {
    for (const [argv, what] of [
      [['A', '--model', 'simulator/nope'], 'no profile "nope"'],
      [['A', '--model', 'nope/x'], 'Unknown model "nope/x"'],
      [['A', '--model', 'gpt-4o', '--model', 'openai/gpt-4o'], 'named twice'],
      [['A', '--model', 'gpt-4o', '--rpm', '0'], 'HX_REQUESTS_PER_MINUTE (from flag) is "0"'],
      [['A', '--model', 'compatible/x', '--max-cost', '1'], 'the price of compatible/x is not known'],
      [['A', '--model', 'gpt-4o', '--explain'], '--dry-run does not go with --explain'],
      [['A', '--model', 'gpt-4o', '-K', '65'], 'from 2 to 64'],
      [[' ', '--model', 'gpt-4o'], 'The claim is empty'],
    ] as const) {
      for (const command of ['check', 'research']) {
        const { exitCode, stdout, stderr } = await runHx([command, ...argv, '--dry-run'], { folder });
        assert.equal([exitCode, stdout], [2, ''], `${command} ${argv.join(' ')}`);
        assert.match(stderr, what);
      }
    }
    const argv = ['A', '--model', 'simulator/default', '--dry-run'];
    const env = { HX_ENV: 'production' };
    assert.is((await runHx(['check', ...argv], { folder, env })).exitCode, 1);
    assert.is((await runHx(['research', ...argv], { folder, env })).exitCode, 0);
  },
);

dryRun('a limit is weighed against all models together', async () => {
  const argv = ['check', 'A', '--model', 'gpt-4o', '--model', 'gpt-4o-mini', '--dry-run'];
  const verdict = async (limit: string) => (await runHx([...argv, '--max-cost', limit], { folder })).stdout;
  assert.match(await verdict('100'), 'A limit of $100 is enough whatever happens.');
  assert.match(await verdict('0.15'), 'A limit of $0.15 is likely to be enough.');
  assert.match(await verdict('0.01'), 'A limit of $0.01 will likely stop it before its end.');
  const { stdout } = await runHx([...argv, '--max-cost', '0.5', '--json'], { folder });
  assert.equal(
    JSON.parse(stdout).map(({ model, max_cost_usd }: DryRun) => [model, max_cost_usd]),
    [
      ['openai/gpt-4o', 0.5],
      ['openai/gpt-4o-mini', 0.5],
    ],
  );
});

dryRun('names the same bad lines as the measurement, in their order, with what to do', async () => {
  const lines = [
    '{"claim": "One"}',
    'a plain sentence',
    '{"klaim": 1}',
    '',
    '{"claim": ""}',
    '["x"]',
    '{"claim": 7}',
  ];
  writeFileSync(join(folder, 'claims.jsonl'), lines.join('\n'));
  writeFileSync(join(folder, 'plain.txt'), 'One claim.\nAnother claim.\n');
  const run = (file: string, ...argv: string[]) =>
    runHx(['research', '--claims', file, '--model', 'simulator/default', ...argv], { folder });
  for (const file of ['claims.jsonl', 'plain.txt']) {
    for (const format of [[], ['--json']]) {
      const planned = await run(file, ...format, '--dry-run');
      const measured = await run(file, ...format);
      assert.equal([planned.exitCode, measured.exitCode], [2, 2]);
      assert.is(planned.stderr, measured.stderr);
    }
  }
  const { stderr } = await run('claims.jsonl', '--dry-run');
  assert.equal(
    [...stderr.matchAll(/claims\.jsonl, line (\d): /g)].map(([, line]) => line),
    ['2', '3', '5', '6', '7'],
  );
  assert.match(stderr, /line 3: .+\n {4}Each line is a JSON object/);
  assert.match(stderr, /line 5: The claim is empty\.\n {4}Give one sentence/);
  const plain = await run('plain.txt', '--dry-run');
  assert.is(plain.stdout, '');
  assert.match(plain.stderr, /^hx: plain\.txt, line 1: .+\nhx: plain\.txt, line 2: .+\n {4}Each line is/);
});

dryRun.run();
