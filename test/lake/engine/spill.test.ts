import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { HxError } from '../../../src/base/errors.js';
import { newMark } from '../../../src/base/process-mark.js';
import { openLakeEngine } from '../../../src/lake/engine/engine.js';
import { engineError } from '../../../src/lake/engine/failures.js';
import { deadMark, foreignMark } from '../../base/marks.js';
import { makeTempFolder, removeFolder } from '../../helpers.js';
import { errorOf, runRows } from '../collect.js';

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

test('a query that has to spill says so where the data folder is missing or takes nothing', async () => {
  const dataDir = join(makeTempFolder(), 'data');
  const engine = await openLakeEngine({ dataDir, memoryLimit: '60MB' });
  const large = 'SELECT md5(i::VARCHAR) AS x FROM range(2000000) t(i) ORDER BY x LIMIT 1 OFFSET 1500000';
  const missing = (await errorOf(engine, large)) as HxError;
  assert.is(missing.code, 'failed');
  assert.match(
    missing.message,
    `fits into memory, and the data folder ${dataDir}, where the rest goes, is not`,
  );
  assert.match(missing.hint ?? '', /^Make that folder, .*HX_DATA_DIR.*ask for less/);
  mkdirSync(dataDir);
  assert.is((await runRows(engine, large)).length, 1, 'and goes on once it is made');
  engine.close();
  removeFolder(dirname(dataDir));
  // Root may write everywhere, so that the system says this of no folder to every test.
  const denied = engineError(
    new Error(`IO Error: Failed to create directory "${dataDir}/.spill-x": Permission denied`),
    large,
  );
  assert.match(denied.message, `${dataDir}, where the rest goes, takes no folder (Permission denied).`);
  assert.match(denied.hint ?? '', /right to write/);
});

test.run();
