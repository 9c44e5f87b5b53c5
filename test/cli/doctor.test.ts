import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DoctorResult } from '../../src/handlers/doctor.js';
import { createTestDatabase, makeTempFolder, runHx } from '../helpers.js';

const doctor = suite('hx doctor');

function stateOf({ findings }: DoctorResult, name: string): string | undefined {
  return findings.find((finding) => finding.name.startsWith(name))?.state;
}

doctor('names what works, what is missing, its fix, and the source of each setting', async () => {
  const database = await createTestDatabase();
  const env = {
    ...database.variables,
    HX_DATA_DIR: makeTempFolder(),
    OPENAI_API_KEY: 'sk-very-secret-0123456789',
    HX_MODEL: 'openai/x',
  };
  const { exitCode, stdout } = await runHx(['doctor', '--json'], { env });
  await database.drop();
  assert.is(exitCode, 0);
  const result = JSON.parse(stdout) as DoctorResult;
  for (const name of ['Node', 'Data folder', 'Research store', 'Lake', 'Database', 'Model', 'Prices']) {
    assert.is(stateOf(result, name), 'ok', name);
  }
  for (const { state, fix } of result.findings) assert.ok(state === 'ok' || (fix ?? '') !== '');
  const key = result.settings.find(({ name }) => name === 'OPENAI_API_KEY');
  assert.is(key?.source, 'environment');
  assert.not.match(stdout, 'very-secret');
  const url = result.settings.find(({ name }) => name === 'DATABASE_URL');
  assert.match(url?.value ?? '', '••••');
});

doctor(
  'a missing database or model is named but is no failure; a data folder that cannot be is one',
  async () => {
    const fresh = await runHx(['doctor', '--json']);
    assert.is(fresh.exitCode, 0);
    const result = JSON.parse(fresh.stdout) as DoctorResult;
    assert.is(stateOf(result, 'Database'), 'missing');
    assert.is(stateOf(result, 'Model'), 'missing');
    const broken = await runHx(['doctor', '--json'], { env: { HX_DATA_DIR: '/dev/null/data' } });
    assert.is(broken.exitCode, 1);
    assert.is(stateOf(JSON.parse(broken.stdout) as DoctorResult, 'Data folder'), 'broken');
  },
);

doctor(
  'numbers out of range and a price table that cannot be read are broken, each with its fix',
  async () => {
    const folder = makeTempFolder();
    writeFileSync(join(folder, 'prices.yaml'), 'date: 2026-11-22\nmodels:\n  a/b: { input: 1\n');
    const env = {
      HX_PRICES: 'prices.yaml',
      HX_CONCURRENCY: '257',
      HX_PG_PORT: 'http',
      HX_MAX_COST_USD: '-1',
      HX_MAX_WAIT_SECONDS: '0',
    };
    const { exitCode, stdout } = await runHx(['doctor', '--json'], { folder, env });
    assert.is(exitCode, 1);
    const { findings } = JSON.parse(stdout) as DoctorResult;
    const broken = findings.filter(({ state }) => state === 'broken');
    assert.equal(broken.map(({ name }) => name).sort(), [
      'HX_CONCURRENCY',
      'HX_MAX_COST_USD',
      'HX_PG_PORT',
      'Prices',
    ]);
    for (const { fix } of broken) assert.match(fix ?? '', /^(Set it to|Write date)/);
    assert.match(
      broken.find(({ name }) => name === 'Prices')?.detail ?? '',
      /prices\.yaml cannot be read: line 4/,
    );
    const text = await runHx(['doctor'], { folder, env });
    assert.match(
      text.stdout,
      'HX_CONCURRENCY (from environment) is "257".\n    Set it to a whole number from 1 to 256.',
    );
  },
);

doctor('no secret in a base URL is shown or used', async () => {
  const env = { HX_COMPATIBLE_BASE_URL: 'http://bob:canary-one@127.0.0.1:1/v1?api_key=canary-two' };
  for (const argv of [['doctor'], ['doctor', '--json'], ['models'], ['models', '--json']]) {
    const { stdout, stderr } = await runHx(argv, { env });
    assert.match(stdout, 'HX_COMPATIBLE_BASE_URL');
    assert.not.match(stdout + stderr, /canary/, argv.join(' '));
  }
  const query = { HX_COMPATIBLE_BASE_URL: 'http://127.0.0.1:1/v1?api_key=canary-two' };
  const refused = await runHx(['research', 'x', '--model', 'compatible/x'], { env: query });
  assert.is(refused.exitCode, 2);
  assert.not.match(refused.stdout + refused.stderr, /canary/);
});

doctor.run();
