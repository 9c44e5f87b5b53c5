import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ModelsResult } from '../../src/handlers/models.js';
import { PROFILES } from '../../src/models/simulator.js';
import { runHx } from '../helpers.js';
import { withServer } from '../models/samples.js';
import { startModelServer } from '../models/server.js';

async function modelsJson(env: Record<string, string>): Promise<ModelsResult> {
  const { exitCode, stdout } = await runHx(['models', '--json'], { env });
  assert.is(exitCode, 0);
  return JSON.parse(stdout) as ModelsResult;
}

test('says what is set, from where, with secrets masked', async () => {
  const key = 'sk-very-secret-0123456789';
  const result = await modelsJson({ OPENAI_API_KEY: key, GOOGLE_API_KEY: 'other', HX_MODEL: 'gpt-4o' });
  assert.not.match(JSON.stringify(result), 'very-secret');
  assert.is(result.default_model, 'gpt-4o');
  assert.equal(
    result.providers.map(({ provider, is_ready }) => [provider, is_ready]),
    [
      ['openai', true],
      ['anthropic', false],
      ['google', true],
      ['xai', false],
      ['compatible', false],
      ['simulator', true],
    ],
  );
  const [apiKey, baseUrl] = result.providers[0]?.settings ?? [];
  assert.equal([apiKey?.name, apiKey?.source, apiKey?.is_required], ['OPENAI_API_KEY', 'environment', true]);
  assert.match(apiKey?.value ?? '', /6789$/);
  assert.equal([baseUrl?.value, baseUrl?.source], ['https://api.openai.com/v1', 'default']);
  assert.equal(
    result.simulator_profiles.map(({ model }) => model),
    Object.keys(PROFILES).map((name) => `simulator/${name}`),
  );
});

test('lists the models of a compatible server', async () => {
  await withServer(startModelServer({ models: ['b', 'a\u001b[31m'] }), async ({ baseUrl }) => {
    const env = { HX_COMPATIBLE_BASE_URL: baseUrl };
    const found = (await modelsJson(env)).providers.find(({ provider }) => provider === 'compatible');
    assert.equal([found?.models, found?.problem], [['a\u001b[31m', 'b'], null]);
    const { stdout } = await runHx(['models'], { env });
    assert.match(stdout, 'compatible/b\n');
    assert.not.match(stdout, '\u001b');
  });
});

test('a server that gives no list is shown as such', async () => {
  const server = await startModelServer();
  await server.close();
  const env = { HX_COMPATIBLE_BASE_URL: server.baseUrl };
  const found = (await modelsJson(env)).providers.find(({ provider }) => provider === 'compatible');
  assert.is(found?.models, null);
  assert.match(found?.problem ?? '', 'ECONNREFUSED');
  const { exitCode, stdout } = await runHx(['models'], { env });
  assert.is(exitCode, 0);
  assert.match(stdout, 'no list of models');
});

test.run();
