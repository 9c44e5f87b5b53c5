import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { HxError } from '../../src/base/errors.js';
import { parseModelName, requireModelName, resolveModel } from '../../src/models/resolve.js';
import { makeTestSettings } from '../helpers.js';

async function errorOf(work: () => unknown): Promise<HxError> {
  try {
    await work();
  } catch (error) {
    assert.instance(error, HxError);
    return error as HxError;
  }
  return assert.unreachable() as never;
}

test('names are provider/name, or the bare name of a well-known model', () => {
  assert.equal(parseModelName('openai/gpt-4.1-mini'), { provider: 'openai', name: 'gpt-4.1-mini' });
  assert.equal(parseModelName('compatible/org/model:7b'), { provider: 'compatible', name: 'org/model:7b' });
  assert.equal(parseModelName('simulator/slow'), { provider: 'simulator', name: 'slow' });
  for (const name of ['gpt-4o', 'o1', 'o3-mini', 'o4-mini']) {
    assert.equal(parseModelName(name), { provider: 'openai', name });
  }
});

test('an unknown name is a usage error that lists the forms', async () => {
  for (const name of ['', 'llama3', 'nobody/model', 'openai/', '/x', 'o2', 'gpt']) {
    const error = await errorOf(() => parseModelName(name));
    assert.is(error.code, 'usage', name);
    assert.match(error.hint ?? '', 'compatible/');
  }
});

test('a missing key or base URL names the setting and the three ways forward', async () => {
  for (const [name, setting] of [
    ['openai/gpt-4.1', 'OPENAI_API_KEY'],
    ['compatible/x', 'HX_COMPATIBLE_BASE_URL'],
  ] as const) {
    const error = await errorOf(() => resolveModel(name, makeTestSettings()));
    assert.equal([error.code, error.exitCode], ['configuration', 2]);
    assert.match(error.message, setting);
    for (const way of ['OPENAI_API_KEY', 'HX_COMPATIBLE_BASE_URL', 'simulator/default']) {
      assert.match(error.hint ?? '', way);
    }
  }
});

test('no model named: nothing falls back to the simulator', async () => {
  const error = await errorOf(() => requireModelName(undefined, makeTestSettings()));
  assert.is(error.exitCode, 2);
  assert.match(error.hint ?? '', 'simulator/default');
  assert.is(requireModelName(undefined, makeTestSettings({ HX_MODEL: 'o3' })), 'o3');
  assert.is(requireModelName('gpt-4o', makeTestSettings({ HX_MODEL: 'o3' })), 'gpt-4o');
});

test('a base URL must be one, and may hold no password', async () => {
  for (const url of ['localhost:11434/v1', 'nonsense', 'http://user:hunter2@host/v1']) {
    const error = await errorOf(() =>
      resolveModel('compatible/x', makeTestSettings({ HX_COMPATIBLE_BASE_URL: url })),
    );
    assert.is(error.code, 'configuration', url);
    assert.not.match(error.message, 'hunter2');
  }
});

test('a model knows where it lives', async () => {
  const settings = makeTestSettings({ HX_COMPATIBLE_BASE_URL: 'http://127.0.0.1:9/v1/' });
  assert.equal((await resolveModel('compatible/x', settings)).identity, {
    model: 'compatible/x',
    provider: 'compatible',
    baseUrl: 'http://127.0.0.1:9/v1',
    simulated: false,
  });
  const named = await resolveModel('gpt-4o', makeTestSettings({ OPENAI_API_KEY: 'k' }));
  assert.is(named.identity.model, 'openai/gpt-4o');
  assert.is(named.identity.baseUrl, 'https://api.openai.com/v1');
});

test.run();
