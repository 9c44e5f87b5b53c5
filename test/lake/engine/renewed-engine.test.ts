import { rmSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { LakeEngine } from '../../../src/lake/engine/engine.js';
import { openRenewedEngine } from '../../../src/lake/engine/renewed-engine.js';
import { exportsFolder } from '../../../src/lake/files/partition.js';
import { makeTempFolder, removeFolder } from '../../helpers.js';
import { allRows, errorOf, runRows } from '../collect.js';
import { putFile } from '../files.js';
import { lakeRow } from '../rows.js';

const MAX_GONE_FILES = 20;

const test = suite<{ dataDir: string; engine: LakeEngine; live: string[]; written: number }>(
  'renewed engine',
);

test.before.each(async (state) => {
  state.dataDir = makeTempFolder();
  state.engine = await openRenewedEngine({ dataDir: state.dataDir }, MAX_GONE_FILES);
  state.live = [];
  state.written = 0;
});
test.after.each(({ engine, dataDir }) => {
  engine.close();
  removeFolder(dataDir);
});

type State = Parameters<Parameters<typeof test>[1]>[0];

/** Files come and go: each time five of ten are new. A question sees the ten that there are. */
async function turn(
  state: State,
  question = 'SELECT count(*), count(logit) FROM checks',
): Promise<unknown[]> {
  for (let number = 0; number < 5; number += 1) {
    state.written += 1;
    const row = lakeRow(state.written);
    state.live.push(await putFile(exportsFolder(state.dataDir), `r-s3-${row.run_id}.parquet`, [row]));
  }
  while (state.live.length > 10) rmSync(state.live.shift() ?? '');
  return (await runRows(state.engine, question))[0] ?? [];
}

test('footers of files that are gone do not pile up, and every answer is right', async (state) => {
  const kept: number[] = [];
  for (let round = 0; round < 40; round += 1) {
    const [count, logits] = await turn(state);
    assert.is(count, BigInt(Math.min(10, 5 * (round + 1))));
    assert.is(logits, count);
    const [[bytes] = []] = await runRows(
      state.engine,
      "SELECT sum(memory_usage_bytes)::BIGINT FROM duckdb_memory() WHERE tag = 'OBJECT_CACHE'",
    );
    kept.push(Number(bytes));
  }
  const footerBytes = (kept[0] ?? 0) / 5;
  assert.ok(footerBytes > 10_000, String(kept[0]));
  // Ten that are there, those that may be gone, and those of one more turn.
  assert.ok(Math.max(...kept) < footerBytes * (10 + MAX_GONE_FILES + 10), kept.join(' '));
  assert.ok(Math.max(...kept) > footerBytes * 15, kept.join(' '));
});

test('what still runs goes on when its engine is replaced, can be stopped, and ends when all is closed', async (state) => {
  const endless = 'SELECT count(*) FROM range(10000000) a, range(10000000) b';
  const running = errorOf(state.engine, endless);
  const reading = await state.engine.run('SELECT i FROM range(200000) t(i)');
  for (let round = 0; round < 12; round += 1) await turn(state);
  assert.is((await allRows(reading)).length, 200_000);
  const timer = setInterval(() => state.engine.interrupt(), 20);
  assert.is((await running).code, 'interrupted');
  clearInterval(timer);
  const last = errorOf(state.engine, endless);
  for (let round = 0; round < 12; round += 1) await turn(state);
  assert.equal(await turn(state), [10n, 10n]);
  state.engine.close();
  assert.is((await last).code, 'interrupted');
});

test('an error inside DuckDB, which ends it, is the end of that statement only', async (state) => {
  await turn(state);
  const running = errorOf(state.engine, 'SELECT count(*) FROM range(10000000) a, range(10000000) b');
  // DuckDB 1.5 does not look whether the key that it is told to use is there.
  const broken = `FROM read_parquet('${state.live[0]}', encryption_config = {footer_key_value: 'x'})`;
  for (const turns of [2, 3]) {
    const error = await errorOf(state.engine, broken);
    assert.is(error.code, 'failed');
    assert.match(error.message, /^DuckDB failed inside: /);
    assert.is((await state.engine.tables())[0]?.name, 'checks');
    assert.equal(await turn(state), [BigInt(Math.min(10, 5 * turns)), BigInt(Math.min(10, 5 * turns))]);
  }
  const timer = setInterval(() => state.engine.interrupt(), 20);
  assert.match((await running).code, /^(interrupted|failed)$/);
  clearInterval(timer);
  await errorOf(state.engine, broken);
  assert.ok((await state.engine.complete('SELECT c')).length > 0);
});

test.run();
