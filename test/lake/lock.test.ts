import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HxError } from '../../src/base/errors.js';
import { packagePath } from '../../src/base/paths.js';
import { exportsFolder } from '../../src/lake/files/partition.js';
import { lockExports } from '../../src/lake/lock.js';
import { makeTempFolder, removeFolder } from '../helpers.js';

interface State {
  dataDir: string;
  exportsDir: string;
}

const test = suite<State>('lake lock');
const { signal } = new AbortController();
const nobodyWaits = () => assert.unreachable('waited');

test.before.each((state) => {
  state.dataDir = makeTempFolder();
  state.exportsDir = exportsFolder(state.dataDir);
});
test.after.each(({ dataDir }) => removeFolder(dataDir));

test('a second export of the environment waits until the first is done; another environment does not', async ({
  exportsDir,
}) => {
  const order: string[] = [];
  const releaseFirst = await lockExports(exportsDir, 'local', signal, nobodyWaits);
  (await lockExports(exportsDir, 'production', signal, nobodyWaits))();
  const waiting = new Promise<void>((resolve) => {
    order.push('second asks');
    lockExports(exportsDir, 'local', signal, () => {
      order.push('second waits');
      releaseFirst();
    }).then((release) => {
      order.push('second works');
      release();
      resolve();
    });
  });
  await waiting;
  assert.equal(order, ['second asks', 'second waits', 'second works']);
});

test('whoever waits can be interrupted', async ({ exportsDir }) => {
  const release = await lockExports(exportsDir, 'local', signal, nobodyWaits);
  const controller = new AbortController();
  const reason = new HxError('interrupted', 'Ctrl-C');
  try {
    await lockExports(exportsDir, 'local', controller.signal, () => controller.abort(reason));
    assert.unreachable();
  } catch (error) {
    assert.is(error, reason);
  } finally {
    release();
  }
});

test('an export that was killed leaves nothing locked', async ({ exportsDir }) => {
  const script = `
    import { lockExports } from ${JSON.stringify(packagePath('src', 'lake', 'lock.ts'))};
    await lockExports(process.argv[1], 'local', new AbortController().signal, () => {});
    process.stdout.write('locked');
    setInterval(() => {}, 1000);`;
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '--eval', script, exportsDir],
    { cwd: packagePath(), stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await new Promise((resolve) => child.stdout.once('data', resolve));
  let waited = false;
  const release = await lockExports(exportsDir, 'local', signal, () => {
    waited = true;
    child.kill('SIGKILL');
  });
  release();
  assert.ok(waited);
});

test('a folder that cannot be made is named', async ({ dataDir, exportsDir }) => {
  writeFileSync(join(dataDir, 'exports'), 'in the way');
  try {
    await lockExports(exportsDir, 'local', signal, nobodyWaits);
    assert.unreachable();
  } catch (error) {
    assert.is((error as HxError).code, 'failed');
    assert.match((error as HxError).message, exportsDir);
  }
});

test.run();
