import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { makeTempFolder, removeFolder, runHx } from '../helpers.js';
import { serverVariables, withServer } from '../models/samples.js';
import { type Behaviour, type ModelServerOptions, startModelServer } from '../models/server.js';

/** What check and research share, seen through research: it needs no server but the model's. */
const measuring = suite('measuring');

let folder: string;
measuring.before.each(() => {
  folder = makeTempFolder();
});
measuring.after.each(() => removeFolder(folder));

async function research(argv: string[], options: ModelServerOptions = {}, env: Record<string, string> = {}) {
  let run: Awaited<ReturnType<typeof runHx>> | undefined;
  let calls = 0;
  await withServer(startModelServer(options), async (server) => {
    const model = argv.includes('--model') ? [] : ['--model', 'compatible/m'];
    run = await runHx(['research', ...argv, ...model], {
      folder,
      env: { ...serverVariables(server.origin), ...env },
    });
    calls = server.calls.length;
  });
  if (run === undefined) throw new Error('not run');
  return { ...run, calls };
}

measuring(
  'a model or serving that changes within a run is said while it runs and in its result',
  async () => {
    const respond = (_: unknown, index: number): Behaviour => ({
      type: 'good',
      resolved: index < 20 ? 'm-1' : 'm-2',
      fingerprint: index < 10 ? 'fp_a' : 'fp_b',
    });
    const { exitCode, stdout, stderr } = await research(['A claim', '--concurrency', '1'], { respond });
    assert.is(exitCode, 0);
    assert.match(stderr, 'm-1, then m-2');
    assert.match(stderr, 'fingerprints fp_a, fp_b');
    assert.match(stdout, 'the model changed within this run: m-1, m-2');
    const steady = await research(['Another claim']);
    assert.not.match(steady.stdout + steady.stderr, 'changed');
  },
);

measuring('waiting beyond --max-wait stops with exit code 4, and the same command carries on', async () => {
  let isBusy = true;
  const respond = (_: unknown, index: number): Behaviour =>
    index >= 7 && isBusy ? { type: 'error', status: 429, headers: { 'retry-after': '5' } } : { type: 'good' };
  await withServer(startModelServer({ respond }), async (server) => {
    const argv = ['research', 'A claim', '--model', 'compatible/m', '--concurrency', '1', '--max-wait', '4'];
    const options = { folder, env: serverVariables(server.origin) };
    const stopped = await runHx(argv, options);
    assert.is(stopped.exitCode, 4);
    assert.match(stopped.stderr, 'wait 5 s; the limit is 4 s');
    assert.match(stopped.stderr, '7 of 32 answers are stored');
    isBusy = false;
    assert.is((await runHx(argv, options)).exitCode, 0);
    assert.is(server.calls.length, 33, 'the seven answers were kept');
  });
});

measuring('limits that are no whole number are named with their source', async () => {
  for (const [flag, name] of [
    ['--rpm', 'HX_REQUESTS_PER_MINUTE'],
    ['--tpm', 'HX_TOKENS_PER_MINUTE'],
    ['--max-wait', 'HX_MAX_WAIT_SECONDS'],
  ] as const) {
    const { exitCode, stderr, calls } = await research(['A claim', flag, 'many']);
    assert.equal([exitCode, calls], [2, 0]);
    assert.match(stderr, `${name} (from flag)`);
  }
});

measuring.run();
