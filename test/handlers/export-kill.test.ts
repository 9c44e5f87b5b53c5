import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { packagePath } from '../../src/base/paths.js';
import { sleep } from '../../src/base/time.js';
import { invoke } from '../../src/handlers/index.js';
import { Prng } from '../../src/rpl/prng.js';
import { openExportBench } from '../bench/lake/export-bench.js';
import { leftOvers } from '../bench/lake/faults/reader.js';
import { fillChecks } from '../bench/lake/sample-checks.js';
import { makeTempFolder, removeFolder } from '../helpers.js';

const test = suite('export killed');

const KILLS = 4;

test('exports that are killed at any moment, two at once, leave every check once and nothing else', async () => {
  const bench = await openExportBench();
  const prng = new Prng(3n);
  const temporary = makeTempFolder();
  const env = {
    ...{ PATH: process.env['PATH'], TMPDIR: temporary },
    ...{ HX_DATA_DIR: bench.dataDir, DATABASE_URL: bench.database.url },
  };
  const start = () =>
    spawn(process.execPath, [packagePath('bin', 'hx.js'), 'export', 'checks', '--quiet'], {
      env,
      stdio: 'ignore',
    });
  try {
    await fillChecks(bench.database.sql, 2_000, 20);
    for (let kill = 0; kill < KILLS; kill += 1) {
      const children = [start(), start()];
      const ended = Promise.all(children.map((child) => once(child, 'exit')));
      await Promise.race([sleep(300 + prng.uniform() * 2_500), ended]);
      for (const child of children) child.kill('SIGKILL');
      await ended;
    }
    const last = start();
    assert.equal(await once(last, 'exit'), [0, null]);
    assert.equal(leftOvers(bench.dataDir, temporary), []);
    const { is_right, days, unfinished } = await invoke('exportVerify', {}, bench.context);
    assert.is(is_right, true);
    assert.equal(unfinished, []);
    assert.is(
      days.reduce((sum, day) => sum + day.in_lake, 0),
      2_000,
    );
  } finally {
    await bench.close();
    removeFolder(bench.dataDir);
    removeFolder(temporary);
  }
});

test.run();
