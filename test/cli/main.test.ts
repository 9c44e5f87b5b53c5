import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { packagePath } from '../../src/base/paths.js';
import { makeTempFolder, runHx } from '../helpers.js';

const cli = suite('hx');

cli('no command and --help print every command', async () => {
  for (const argv of [[], ['--help'], ['-h'], ['help']]) {
    const { exitCode, stdout, stderr } = await runHx(argv);
    assert.is(exitCode, 0);
    assert.is(stderr, '');
    for (const command of ['hx demo', 'hx check', 'hx query', 'hx db up', 'hx serve'])
      assert.match(stdout, command);
  }
  const listed = JSON.parse((await runHx(['--help', '--json'])).stdout) as { path: string }[];
  assert.ok(listed.some(({ path }) => path === 'export checks'));
});

cli("a command's help goes to standard output", async () => {
  const { exitCode, stdout } = await runHx(['check', '--help']);
  assert.is(exitCode, 0);
  for (const argv of [
    ['check', '-h'],
    ['check', 'a claim', '--json', '--help'],
  ]) {
    assert.is((await runHx(argv)).stdout, stdout);
  }
  assert.match(stdout, '--estimator,--ci VALUE');
  assert.match(stdout, 'Examples');
});

cli('--version prints the version alone', async () => {
  const { exitCode, stdout } = await runHx(['--version']);
  assert.is(exitCode, 0);
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
});

cli('what is not a command ends with 2, a sentence and a hint', async () => {
  const cases: [string[], RegExp][] = [
    [['frob'], /no command hx frob/],
    [['db'], /up, down, status/],
    [['db', 'frob'], /no command hx db frob/],
    [['check'], /needs CLAIM or -\./],
    [['bank', 'diff', 'plain'], /needs FROM and TO\./],
    [['check', 'tides', 'rise'], /ends before "rise"\.\s+A text of several words needs quotes/],
    [['migrate', 'baseline'], /needs --to/],
    [['research', 'x', '--modle', 'y'], /--modle/],
    [['research', 'x', '--model'], /--model/],
    [['check', 'x', '--frob'], /--frob/],
    [['check', 'x', '-K', 'abc'], /-K/],
    [['--json', 'check', 'x'], /command comes first/],
  ];
  for (const [argv, message] of cases) {
    const { exitCode, stdout, stderr } = await runHx(argv);
    assert.is(exitCode, 2, argv.join(' '));
    assert.is(stdout, '');
    assert.match(stderr, message);
    assert.not.match(stderr, /\bat .*\.(ts|js):\d/);
  }
});

cli('errors are JSON with --json', async () => {
  const { exitCode, stderr } = await runHx(['check', 'x', '--model', 'nope/x', '--json']);
  assert.is(exitCode, 2);
  const { error } = JSON.parse(stderr);
  assert.is(error.code, 'usage');
  assert.is(error.exit_code, 2);
  assert.ok(error.message && error.hint);
});

cli('an interrupted command ends although something of it goes on', async () => {
  const child = spawn(
    process.execPath,
    [
      '--import',
      'tsx',
      packagePath('test', 'cli', 'lingering-child.ts'),
      'query',
      'FROM range(1000000000000)',
    ],
    {
      cwd: packagePath(),
      env: { PATH: process.env['PATH'], HX_DATA_DIR: makeTempFolder() },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    },
  );
  let said = '';
  child.stderr?.on('data', (chunk) => {
    said += chunk;
  });
  await once(child, 'message');
  const tooLong = setTimeout(() => child.kill('SIGKILL'), 20_000);
  child.kill('SIGINT');
  const [, signal] = await once(child, 'exit');
  clearTimeout(tooLong);
  assert.is(signal, 'SIGINT');
  assert.is(said, 'hx: Interrupted.\n');
});

cli.run();
