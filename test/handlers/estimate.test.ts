import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { makeTempFolder, runHx } from '../helpers.js';

const estimate = suite('hx estimate');

const LINES = [0.7, 0.65, 0.8, 0.75, 0.72, 0.6, 0.9, 0.55].flatMap((prob_true, index) =>
  [0, 1].map((replicate) => JSON.stringify({ template: `t${index}`, replicate, prob_true })),
);

estimate('prints the documented fields, whatever the order of the lines', async () => {
  const stdin = LINES.join('\n');
  const { exitCode, stdout } = await runHx(['estimate', '-', '--json'], { stdin });
  assert.is(exitCode, 0);
  assert.equal(Object.keys(JSON.parse(stdout)), [
    'prob_true_rpl',
    'logit',
    'ci_lo',
    'ci_hi',
    'ci_width',
    'template_iqr_logit',
    'stability_score',
    'stability_band',
    'imbalance_ratio',
    'n_templates',
    'estimator',
    'bootstrap_seed',
  ]);
  const reversed = await runHx(['estimate', '-', '--json'], { stdin: [...LINES].reverse().join('\n') });
  assert.is(reversed.stdout, stdout);
});

estimate('reads a file, and takes estimator, resamples and seed', async () => {
  const folder = makeTempFolder();
  writeFileSync(join(folder, 'samples.jsonl'), LINES.join('\n'));
  const argv = [
    'estimate',
    'samples.jsonl',
    '--estimator',
    'rpl-1',
    '-B',
    '500',
    '--seed',
    '18446744073709551615',
    '--json',
  ];
  const { exitCode, stdout } = await runHx(argv, { folder });
  assert.is(exitCode, 0);
  const result = JSON.parse(stdout);
  assert.is(result.estimator, 'rpl-1');
  assert.is(result.bootstrap_seed, '18446744073709551615');
  assert.match((await runHx(['estimate', 'samples.jsonl'], { folder })).stdout, /p = 0\.\d{3} {2}CI95 \[/);
});

estimate('a malformed line is named by its number', async () => {
  for (const [bad, what] of [
    ['not json', /line 3/],
    ['{"template":"a","replicate":0}', /line 3: prob_true/],
    ['{"template":"a","replicate":0,"prob_true":1.2}', /line 3: prob_true/],
    ['{"template":"a","replicate":-1,"prob_true":0.2}', /line 3: replicate/],
    ['[]', /line 3/],
  ] as const) {
    const { exitCode, stdout, stderr } = await runHx(['estimate', '-'], {
      stdin: [...LINES.slice(0, 2), bad].join('\n'),
    });
    assert.is(exitCode, 2, bad);
    assert.is(stdout, '');
    assert.match(stderr, what);
  }
});

estimate('repeated cells, too few samples and bad options are errors', async () => {
  const run = (argv: string[], stdin: string) => runHx(['estimate', '-', ...argv], { stdin });
  const twice = await run([], [...LINES, LINES[0]].join('\n'));
  assert.is(twice.exitCode, 2);
  assert.match(twice.stderr, /more than one sample/);
  const few = await run([], LINES.slice(0, 2).join('\n'));
  assert.is(few.exitCode, 1);
  assert.match(few.stderr, /too few/);
  for (const argv of [
    ['--estimator', 'rpl-3'],
    ['-B', '10'],
    ['-B', '100001'],
    ['--seed', '18446744073709551616'],
  ]) {
    assert.is((await run(argv, LINES.join('\n'))).exitCode, 2, argv.join(' '));
  }
  assert.is((await runHx(['estimate', 'nowhere.jsonl'])).exitCode, 2);
});

estimate('what is no file of samples is said in words, with what to give instead', async () => {
  const folder = makeTempFolder();
  mkdirSync(join(folder, 'folder'));
  writeFileSync(join(folder, 'empty.jsonl'), '\n \n');
  writeFileSync(join(folder, 'image.png'), Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 1, 2]));
  writeFileSync(join(folder, 'null.bin'), 'a\u0000b');
  const long = JSON.stringify({ template: 'x'.repeat(1_000_000), replicate: 0, prob_true: 0.5 });
  writeFileSync(join(folder, 'long.jsonl'), `${LINES[0]}\n${long}\n`);
  writeFileSync(join(folder, 'garbage.jsonl'), 'y'.repeat(1_000_000));
  for (const [file, what] of [
    ['folder', 'Cannot read folder: it is a folder.'],
    ['nowhere', 'Cannot read nowhere: there is no such file.'],
    ['empty.jsonl', 'empty.jsonl holds no samples.'],
    ['image.png', 'Cannot read image.png: it is not UTF-8 text.'],
    ['null.bin', 'Cannot read null.bin: it is not UTF-8 text.'],
    ['long.jsonl', 'long.jsonl, line 2: template: '],
    ['garbage.jsonl', 'garbage.jsonl, line 1: '],
  ] as const) {
    const { exitCode, stdout, stderr } = await runHx(['estimate', file], { folder });
    assert.equal([exitCode, stdout], [2, ''], file);
    assert.match(stderr, `hx: ${what}`);
    assert.match(stderr, /\n {4}(Give the path|Each line is)/);
    assert.ok(stderr.length < 400, `${file}: ${stderr.length} characters`);
  }
  const piped = await runHx(['estimate', '-'], { stdin: '' });
  assert.match(piped.stderr, 'standard input holds no samples');
});

estimate.run();
