import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { HxError } from '../../src/base/errors.js';
import { packagePath } from '../../src/base/paths.js';
import { findPrice } from '../../src/models/prices.js';
import { PROVIDERS } from '../../src/models/resolve.js';
import { makeTempFolder, makeTestSettings, removeFolder } from '../helpers.js';

const known = (model: string) => findPrice({ model, simulated: false }, makeTestSettings());

test('every shipped table is named by its date and can be read', async () => {
  const names = readdirSync(packagePath('data', 'prices'));
  assert.ok(names.length > 0);
  for (const name of names) assert.match(name, /^\d{4}-\d{2}-\d{2}\.yaml$/);
  const found = await known('openai/gpt-4.1-mini');
  assert.equal(found?.price, { inputUsd: 0.4, outputUsd: 1.6 });
  assert.is(`${found?.date}.yaml`, names.sort().at(-1));
});

test('the example of each provider that costs money has a price', async () => {
  for (const { name, example } of PROVIDERS.filter(
    ({ name }) => name !== 'compatible' && name !== 'simulator',
  )) {
    assert.ok((await known(example)) !== null, `${name}: ${example}`);
  }
});

test('a snapshot costs what its name costs, unless it is listed; other models are unknown', async () => {
  const price = async (model: string) => (await known(model))?.price.inputUsd ?? null;
  assert.is(await price('openai/gpt-4o-2024-08-06'), 2.5);
  assert.is(await price('openai/gpt-4o-2024-05-13'), 5);
  assert.is(await price('anthropic/claude-haiku-4-5-20251001'), 1);
  assert.is(await price('anthropic/claude-3-5-haiku-latest'), 0.8);
  assert.is(await price('openai/gpt-4.1-huge'), null);
  assert.is(await price('compatible/gpt-4.1'), null);
  const simulated = await findPrice({ model: 'simulator/default', simulated: true }, makeTestSettings());
  assert.equal(simulated?.price, { inputUsd: 0, outputUsd: 0 });
});

test('an own table goes first; one that cannot be read is named with what is wrong', async () => {
  const folder = makeTempFolder();
  const path = join(folder, 'prices.yaml');
  const settings = makeTestSettings({ HX_PRICES: path });
  const own = async (text: string, model = 'openai/gpt-4.1') => {
    writeFileSync(path, text);
    return findPrice({ model, simulated: false }, settings);
  };
  const text = 'date: 2027-01-01\nmodels:\n  openai/gpt-4.1: { input: 1, output: 2 }\n';
  assert.equal(await own(text), { price: { inputUsd: 1, outputUsd: 2 }, date: '2027-01-01' });
  assert.is((await own(text, 'openai/gpt-4o'))?.price.inputUsd, 2.5);
  for (const [wrong, problem] of [
    ['models: {}', 'line 1: date is not a date'],
    ['date: 2027-02-30\nmodels: {}', 'line 1: date is not a date'],
    ['date: 2027-01-01', 'models is not a list'],
    ['date: 2027-01-01\nmodels: [1]', 'line 2: models is not a list'],
    [
      'date: 2027-01-01\nmodels:\n  a: { input: free, output: 1 }',
      'line 3: models: a: input is "free"; it is a',
    ],
    [
      'date: 2027-01-01\nmodels:\n  a:\n    input: -1\n    output: 1',
      'line 4: models: a: input is -1; it is a',
    ],
    ['date: 2027-01-01\nmodels:\n  a: { input: 1, output: 10001 }', 'number from 0 to 10000, US dollars'],
    ['date: 2027-01-01\nmodels:\n  a: { input: 1 }', 'line 3: models: a: output is missing'],
    ['date: 2027-01-01\nmodels: { a: 1', 'line 2: '],
  ] as const) {
    const error = await own(wrong).catch((thrown: unknown) => thrown);
    assert.instance(error, HxError, wrong);
    assert.is((error as HxError).exitCode, 2);
    assert.match((error as HxError).message, path);
    assert.match((error as HxError).message, problem);
  }
  removeFolder(folder);
  const missing = await findPrice({ model: 'openai/gpt-4.1', simulated: false }, settings).catch(
    (e: unknown) => e,
  );
  assert.is((missing as HxError).code, 'configuration');
});

test.run();
