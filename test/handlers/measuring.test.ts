import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
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

const OWN_PRICES = 'date: 2026-11-22\nmodels:\n  compatible/m: { input: 10, output: 20 }\n';

measuring('the cost of a run is stored, and --max-cost stops over all claims, to be carried on', async () => {
  writeFileSync(join(folder, 'prices.yaml'), OWN_PRICES);
  writeFileSync(join(folder, 'claims.jsonl'), '{"claim": "A claim"}\n{"claim": "Another claim"}\n');
  await withServer(startModelServer(), async (server) => {
    const options = { folder, env: { ...serverVariables(server.origin), HX_PRICES: 'prices.yaml' } };
    const argv = ['research', '--claims', join(folder, 'claims.jsonl'), '--model', 'compatible/m', '--json'];
    const stopped = await runHx([...argv, '--max-cost', '0.12'], options);
    assert.is(stopped.exitCode, 4);
    // One call reports 90 + 60 tokens: $0.0021, or $0.0672 for the 32 of a claim.
    assert.is(JSON.parse(stopped.stdout).cost_usd, '0.067200');
    assert.match(stopped.stderr, 'of at most $0.12');
    assert.ok(server.calls.length > 32 && server.calls.length * 0.0021 <= 0.12, String(server.calls.length));
    const { exitCode, stdout } = await runHx(argv, options);
    assert.is(exitCode, 0);
    const costs = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).cost_usd);
    assert.equal(costs, ['0.067200', '0.067200']);
    assert.is(server.calls.length, 64, 'no answer was paid for twice');
  });
});

measuring('a limit for a model without a known price is a usage error before any call', async () => {
  const { exitCode, stderr, calls } = await research(['A claim', '--max-cost', '1']);
  assert.equal([exitCode, calls], [2, 0]);
  assert.match(stderr, 'the price of compatible/m is not known');
  assert.match(stderr, 'HX_PRICES');
  const wrong = await research(['A claim', '--max-cost', 'lots']);
  assert.equal([wrong.exitCode, wrong.calls], [2, 0]);
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
