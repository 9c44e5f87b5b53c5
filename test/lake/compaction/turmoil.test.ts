import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { makeTempFolder, removeFolder } from '../../helpers.js';
import { turmoil } from './turmoil.js';

const test = suite('lake in turmoil');

test('readers see every row once while compactors are killed, research appends and exports update and delete', async () => {
  const dataDir = makeTempFolder();
  const result = await turmoil(dataDir, 60, 1n);
  assert.equal(result.wrong, []);
  removeFolder(dataDir);
});

test.run();
