import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { makeTempFolder, removeFolder, runHx } from '../helpers.js';

const contradictions = suite('contradicting options');

let folder: string;
contradictions.before.each(() => {
  folder = makeTempFolder();
});
contradictions.after.each(() => removeFolder(folder));

/** A command line ends with 2 and names everything given here. */
async function refuses(argv: readonly string[], ...named: readonly string[]): Promise<void> {
  const { exitCode, stdout, stderr } = await runHx([...argv], { folder, stdin: '' });
  assert.equal([exitCode, stdout], [2, ''], `${argv.join(' ')}: ${stderr}`);
  for (const name of named) assert.match(stderr, name, argv.join(' '));
  assert.match(stderr, /\n {4}\S/, 'a hint');
}

const SIMULATED = ['--model', 'simulator/default'] as const;

contradictions(
  '--plan goes with what it reckons by, and with nothing that only a measurement heeds',
  async () => {
    const plan = ['check', 'A', '--plan', '--width', '0.2'];
    for (const other of [
      ['--dry-run'],
      ['--explain'],
      ['--model', 'simulator/default', '--model', 'simulator/noisy'],
      ['--estimator', 't'],
      ['-B', '500'],
      ['--seed', '1'],
      ['--concurrency', '2'],
      ['--rpm', '5'],
      ['--tpm', '5'],
      ['--max-wait', '5'],
      ['--max-cost', '5'],
      ['--no-cache'],
    ]) {
      await refuses([...plan, ...other], '--plan', other[0] ?? '');
    }
    await refuses(['check', 'A', '--plan', ...SIMULATED], '--plan', '--width');
    const honoured = [
      '-K',
      '8',
      '-R',
      '1',
      '-T',
      '8',
      '--max-calls',
      '20',
      '--bank',
      'wide',
      '--tau',
      '1',
      '--sigma',
      '0',
      ...SIMULATED,
    ];
    assert.is((await runHx([...plan, ...honoured, '--json'], { folder })).exitCode, 0);
  },
);

contradictions('--tau and --sigma are for --plan', async () => {
  for (const option of ['--tau', '--sigma']) {
    await refuses(['check', 'A', ...SIMULATED, option, '0.3'], option, '--plan');
    await refuses(['check', 'A', ...SIMULATED, option, '0.3', '--dry-run'], option, '--plan');
  }
});

contradictions('a width settles size and interval itself', async () => {
  for (const command of ['check', 'research']) {
    const measure = [command, 'A', ...SIMULATED];
    await refuses([...measure, '--width', '0.2', '-K', '8'], 'width', 'k');
    await refuses([...measure, '--width', '0.2', '-T', '8'], 'width', 't');
    await refuses([...measure, '--width', '0.2', '--estimator', 'rpl-1'], 'width', 'estimator');
    await refuses([...measure, '--width', '0.2', '-B', '500'], 'width', 'b', 'or --width.');
    await refuses(
      [...measure, '--width', '0.2', '--seed', '5', '-B', '500', '--dry-run'],
      'width',
      'b and seed',
    );
    await refuses([...measure, '--max-calls', '50'], 'max_calls', 'width');
    await refuses([...measure, '--estimator', 't', '-B', '500'], 'estimator t', 'b');
    await refuses([...measure, '--estimator', 't', '--seed', '5'], 'estimator t', 'seed');
    await refuses([...measure, '--dry-run', '--explain'], '--dry-run', '--explain');
  }
  await refuses(
    ['check', 'A', ...SIMULATED, '--model', 'simulator/noisy', '--explain'],
    '--explain',
    '--model',
  );
  await refuses(
    ['research', 'A', '--claims', 'x.jsonl', ...SIMULATED],
    'A claim',
    '--claims',
    'Leave out the claim, or',
  );
  await refuses(['research', ...SIMULATED], '--claims');
});

contradictions(
  'more templates than slots or bank hold are refused, and never quietly made fewer',
  async () => {
    for (const command of ['check', 'research']) {
      const measure = [command, 'A', ...SIMULATED];
      await refuses([...measure, '-K', '4', '-T', '8'], 't is 8, but k is 4', '-K 8');
      await refuses([...measure, '-T', '20', '--bank', 'wide'], 't is 20, but k is 16');
      await refuses([...measure, '-K', '32', '-T', '32'], 't is 32, but the bank plain@1 has 16');
    }
    await refuses(['check', 'A', '--plan', '--width', '0.2', '-T', '17'], 't is 17');
    const wide = [
      'research',
      'A',
      ...SIMULATED,
      '--bank',
      'wide',
      '-K',
      '32',
      '-T',
      '32',
      '-R',
      '1',
      '--json',
    ];
    assert.is(JSON.parse((await runHx(wide, { folder })).stdout).t, 32);
  },
);

contradictions('estimate: a bootstrap that is not made has no size and no seed', async () => {
  const stdin = [0.1, 0.2, 0.3]
    .map((prob_true, index) => JSON.stringify({ template: `t${index}`, replicate: 0, prob_true }))
    .join('\n');
  for (const option of [
    ['-B', '500'],
    ['--seed', '5'],
  ]) {
    const { exitCode, stderr } = await runHx(['estimate', '-', '--estimator', 't', ...option], { stdin });
    assert.is(exitCode, 2);
    assert.match(stderr, 'The estimator t makes no bootstrap');
  }
});

contradictions('an option that takes one value is refused with two, under either of its names', async () => {
  const measure = ['check', 'A', ...SIMULATED, '--dry-run'];
  await refuses([...measure, '-K', '4', '-K=8'], '-K is given as 4 and as 8');
  await refuses([...measure, '--ci', 't', '--estimator', 'rpl-1'], '--ci is given as t and as rpl-1');
  for (const allowed of [
    ['-K', '20', '-K=20'],
    ['--ci', 't', '--ci', 't'],
    ['--model', 'simulator/slow'],
  ]) {
    assert.is((await runHx([...measure, ...allowed], { folder })).exitCode, 0, allowed.join(' '));
  }
});

contradictions('--ci is another name of --estimator', async () => {
  const stdin = [0.1, 0.2, 0.3]
    .map((prob_true, index) => JSON.stringify({ template: `t${index}`, replicate: 0, prob_true }))
    .join('\n');
  for (const method of ['rpl-1', 'rpl-2', 't']) {
    const byName = async (name: string) =>
      (await runHx(['estimate', '-', name, method, '--json'], { stdin })).stdout;
    const shown = await byName('--ci');
    assert.is(JSON.parse(shown).estimator, method);
    assert.is(shown, await byName('--estimator'));
  }
});

contradictions('a number out of its range is named with its range, whether it is one or not', async () => {
  for (const [option, range] of [
    ['-K', '2 to 64'],
    ['-R', '1 to 16'],
    ['-T', '2 to 64'],
    ['-B', '100 to 100000'],
    ['--concurrency', '1 to 256'],
  ] as const) {
    for (const command of ['check', 'research']) {
      for (const value of ['100001', '0', '2.5', 'many', '1e1']) {
        await refuses([command, 'A', ...SIMULATED, option, value], option, `whole number from ${range}`);
      }
      await refuses([command, 'A', ...SIMULATED, option], option, 'needs a value');
      await refuses([command, 'A', option, ...SIMULATED], option, 'needs a value');
    }
  }
  await refuses(['estimate', '-', '-B', '100001'], '-B', 'from 100 to 100000');
  await refuses(['check', 'A', ...SIMULATED, '--max-cost', '-1'], '--max-cost', 'needs a value');
  await refuses(['check', 'A', ...SIMULATED, '--max-cost=-1'], 'HX_MAX_COST_USD', 'US dollars');
});

contradictions.run();
