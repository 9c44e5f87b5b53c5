import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DryRun } from '../../src/handlers/dry-run.js';
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

dryRun.run();
