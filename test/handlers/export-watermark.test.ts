import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { invoke } from '../../src/handlers/index.js';
import { openExportBench } from '../bench/lake/export-bench.js';
import { fillChecks } from '../bench/lake/sample-checks.js';
import { writeSideBySide } from '../bench/lake/watermark-writers.js';
import { removeFolder } from '../helpers.js';

const test = suite('export watermark');

test('of checks that commit in any order, while exports go on, each is in the lake once', async () => {
  const bench = await openExportBench();
  try {
    await fillChecks(bench.database.sql, 1, 1);
    let isWriting = true;
    let exports = 0;
    const writing = writeSideBySide({
      ...{ url: bench.database.url, writers: 8, rowsOfTransaction: 3, longestMs: 80 },
      // Until some exports have brought what others were still writing.
      isWanted: () => exports < 4,
    }).finally(() => {
      isWriting = false;
    });
    while (isWriting) {
      if ((await invoke('exportChecks', {}, bench.context)).rows > 0) exports += 1;
    }
    const stored = (await writing) + 1;
    await invoke('exportChecks', {}, bench.context);
    const { is_right, days } = await invoke('exportVerify', {}, bench.context);
    assert.is(is_right, true);
    assert.is(
      days.reduce((sum, day) => sum + day.in_lake, 0),
      stored,
    );
  } finally {
    await bench.close();
    removeFolder(bench.dataDir);
  }
});

test.run();
