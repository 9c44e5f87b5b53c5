import { rmSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CurrentViews } from '../../../src/lake/engine/current-views.js';
import { openDuckdbEngine } from '../../../src/lake/engine/duckdb.js';
import type { LakeEngine } from '../../../src/lake/engine/engine.js';
import { localSource } from '../../../src/lake/engine/source.js';
import { exportsFolder } from '../../../src/lake/files/partition.js';
import { makeTempFolder, removeFolder } from '../../helpers.js';
import { runRows } from '../collect.js';
import { putFile } from '../files.js';
import { lakeRow } from '../rows.js';

interface State {
  dataDir: string;
  put: (number: number) => Promise<string>;
  open: (maxKeptFooters: number) => Promise<LakeEngine>;
}

const test = suite<State>('kept footers');

test.before.each((state) => {
  state.dataDir = makeTempFolder();
  const exportsDir = exportsFolder(state.dataDir);
  state.put = (number) => putFile(exportsDir, `r-s3-${number}.parquet`, [lakeRow(number)]);
  state.open = (maxKeptFooters) =>
    openDuckdbEngine(
      { dataDir: state.dataDir },
      new CurrentViews(localSource(state.dataDir)),
      maxKeptFooters,
    );
});
test.after.each(({ dataDir }) => removeFolder(dataDir));

const COUNTS = 'SELECT count(*), count(DISTINCT run_id), sum(k) FROM checks';

/** The bytes of the footers that an engine keeps. */
async function keptBytes(engine: LakeEngine): Promise<number> {
  const [[bytes] = []] = await runRows(
    engine,
    "SELECT sum(memory_usage_bytes)::BIGINT FROM duckdb_memory() WHERE tag = 'OBJECT_CACHE'",
  );
  return Number(bytes);
}

test('a lake of more files than footers fit keeps none, and answers the same while files come and go', async ({
  put,
  open,
}) => {
  const paths = [];
  for (let number = 0; number < 6; number += 1) paths.push(await put(number));
  const [keeping, leaving] = [await open(6), await open(5)];
  const answers = async () => {
    const [one, other] = [await runRows(keeping, COUNTS), await runRows(leaving, COUNTS)];
    assert.equal(one, other);
    return one[0]?.slice(0, 2);
  };
  assert.equal(await answers(), [6n, 6n]);
  assert.ok((await keptBytes(keeping)) > 6 * 10_000);
  assert.is(await keptBytes(leaving), 0);
  await put(6);
  rmSync(paths[0] ?? '');
  assert.equal(await answers(), [6n, 6n]);
  rmSync(paths[1] ?? '');
  assert.equal(await answers(), [5n, 5n]);
  assert.is(await keptBytes(leaving), 0);
  for (const engine of [keeping, leaving]) {
    const files = 'SELECT count(DISTINCT filename), bool_and(claim IS NOT NULL) FROM lake.rows';
    assert.equal(await runRows(engine, files), [[5n, true]]);
    engine.close();
  }
});

test.run();
