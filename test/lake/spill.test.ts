import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { newMark } from '../../src/base/process-mark.js';
import { openLakeEngine } from '../../src/lake/engine.js';
import { deadMark, foreignMark } from '../base/marks.js';
import { makeTempFolder, removeFolder } from '../helpers.js';
import { errorOf, runRows } from './collect.js';

const test = suite('spilling');

test('what killed engines spilled goes with the next engine, and nothing else', async () => {
  const dataDir = makeTempFolder();
  const kept = [`.spill-${newMark()}`, `.spill-${foreignMark()}`, '.spill-of-mine'];
  for (const name of [`.spill-${deadMark()}`, ...kept]) {
    mkdirSync(join(dataDir, name));
    writeFileSync(join(dataDir, name, 'block.tmp'), 'rows');
  }
  (await openLakeEngine({ dataDir })).close();
  assert.equal(readdirSync(dataDir).sort(), kept.sort());
  removeFolder(dataDir);
});

test('spilling has a bound, and no statement lifts it', async () => {
  const dataDir = makeTempFolder();
  const engine = await openLakeEngine({ dataDir });
  const bound = "SELECT current_setting('max_temp_directory_size')";
  assert.equal(await runRows(engine, bound), [['9.3 GiB']]);
  assert.is((await errorOf(engine, "SET max_temp_directory_size = '1TB'")).code, 'refused');
  assert.equal(await runRows(engine, bound), [['9.3 GiB']]);
  engine.close();
  removeFolder(dataDir);
});

test.run();
