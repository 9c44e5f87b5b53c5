import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { makeTempFolder, removeFolder, runHx } from '../helpers.js';

const demo = suite('hx demo');

let folder: string;
demo.before(() => {
  folder = makeTempFolder();
  // What the caller's own settings name is none of the demo's business.
  writeFileSync(join(folder, '.env'), 'DATABASE_URL=postgres://nobody:x@127.0.0.1:1/none\nHX_MODEL=nope/x\n');
});
demo.after(async () => {
  await runHx(['demo', '--clean'], { folder });
  removeFolder(folder);
});

demo('tells the whole story, and again over what is there', async () => {
  for (const round of ['first', 'second']) {
    const { exitCode, stdout, stderr } = await runHx(['demo'], { folder });
    assert.is(exitCode, 0, `${round}: ${stderr}`);
    for (const command of [
      '$ hx db up',
      '$ hx migrate',
      '$ hx check "Tides are caused by the moon"',
      '$ hx research --claims',
      'hx migrate --env development',
      '$ hx export checks --since',
      '$ hx query @prior_shift --param env_b=development',
    ]) {
      assert.ok(stdout.includes(command), `${round}: ${command}`);
    }
    assert.match(stdout, 'answered from the cache');
    // The join has two sides.
    assert.match(stdout, /^Tides are caused by the moon,simulator\/default,/m);
    assert.not.match(stdout, /postgres:\/\/postgres:[^•]/);
  }
});

demo('leaves nothing behind after --clean', async () => {
  const { exitCode } = await runHx(['demo', '--clean'], { folder });
  assert.is(exitCode, 0);
  assert.is(existsSync(join(folder, 'data', 'demo')), false);
});

demo('is one JSON value with --json', async () => {
  const { exitCode, stdout, stderr } = await runHx(['demo', '--json'], { folder });
  assert.is(exitCode, 0, stderr);
  const steps = JSON.parse(stdout) as { command: string; exit_code: number; output: string }[];
  assert.ok(steps.length >= 12);
  assert.ok(steps.every(({ exit_code, output }) => exit_code === 0 && output !== ''));
});

demo.run();
