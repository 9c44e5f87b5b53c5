import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openLakeEngine } from '../../src/lake/engine.js';
import { makeTempFolder, removeFolder } from '../helpers.js';
import { errorOf, runRows } from './collect.js';

const test = suite('spilling');

test('what killed engines spilled is removed a day later, and nothing else', async () => {
  const dataDir = makeTempFolder();
  const daysAgo = (days: number) => new Date(Date.now() - days * 24 * 60 * 60 * 1000);
  const make = (name: string, changedAt: Date) => {
    mkdirSync(join(dataDir, name));
    writeFileSync(join(dataDir, name, 'block.tmp'), 'rows');
    utimesSync(join(dataDir, name), changedAt, changedAt);
  };
  make('.spill-0123456789ab', daysAgo(2));
  make('.spill-ba9876543210', daysAgo(0.5));
  make('.spill-of-mine', daysAgo(2));
  (await openLakeEngine({ dataDir })).close();
  assert.equal(readdirSync(dataDir).sort(), ['.spill-ba9876543210', '.spill-of-mine']);
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
