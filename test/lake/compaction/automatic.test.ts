import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sleep } from '../../../src/base/time.js';
import { compact } from '../../../src/lake/compaction/compact.js';
import { CompactedRuns } from '../../../src/lake/compaction/compacted-runs.js';
import { openLakeEngine } from '../../../src/lake/engine/engine.js';
import { exportsFolder } from '../../../src/lake/files/partition.js';
import { ResearchLake } from '../../../src/lake/research-lake.js';
import { LocalStorage } from '../../../src/lake/storage/local.js';
import { appendRun } from '../../../src/lake/writer.js';
import { makeTempFolder, removeFolder } from '../../helpers.js';
import { runRows } from '../collect.js';
import { lakeRow } from '../rows.js';

interface State {
  dataDir: string;
  storage: LocalStorage;
  lake: ResearchLake;
  controller: AbortController;
  failures: string[];
}

const test = suite<State>('automatic compaction');
const DAY = join('local', 'dt=2026-11-01');

test.before.each(async (state) => {
  state.dataDir = makeTempFolder();
  state.storage = new LocalStorage(exportsFolder(state.dataDir));
  state.controller = new AbortController();
  state.failures = [];
  state.lake = await ResearchLake.open({
    storage: state.storage,
    dataDir: state.dataDir,
    now: () => new Date(),
    signal: state.controller.signal,
    onFailure: (message) => state.failures.push(message),
  });
});
test.after.each(async ({ lake, dataDir }) => {
  await lake.settle();
  removeFolder(dataDir);
});

async function count(dataDir: string): Promise<unknown> {
  const engine = await openLakeEngine({ dataDir });
  const rows = await runRows(engine, 'SELECT count(*), count(DISTINCT run_id) FROM checks');
  engine.close();
  return rows[0];
}

const compactedFiles = (dataDir: string) =>
  readdirSync(join(exportsFolder(dataDir), DAY)).filter((name) => name.startsWith('c-'));

test('research compacts a day that got many files while it goes on, and knows the runs in it', async ({
  dataDir,
  storage,
  lake,
  failures,
}) => {
  for (let number = 0; number < 100; number += 1) await lake.append(lakeRow(number));
  await lake.settle();
  assert.equal(failures, []);
  assert.is(compactedFiles(dataDir).length, 1);
  assert.equal(await count(dataDir), [100n, 100n]);
  const now = () => new Date(Date.now() + 7_200_000);
  await compact({ storage, dataDir, environment: 'local', urgency: 'any', now: () => new Date() });
  await compact({ storage, dataDir, environment: 'local', urgency: 'any', now });
  assert.is(readdirSync(join(exportsFolder(dataDir), DAY)).length, 1);
  assert.ok(await lake.has(lakeRow(5)));
  assert.not.ok(await lake.has(lakeRow(100)));
  for (let number = 100; number < 170; number += 1) await lake.append(lakeRow(number));
  await lake.settle();
  assert.equal(await count(dataDir), [170n, 170n]);
});

test('the first run of a day has the days before it compacted', async ({ dataDir, lake, failures }) => {
  const yesterday = new Date('2026-11-02T12:00:00Z');
  for (let number = 0; number < 40; number += 1) {
    await lake.append(lakeRow(number));
    await lake.append(lakeRow(100 + number, { created_at: yesterday }));
  }
  await lake.settle();
  assert.equal(compactedFiles(dataDir), [], 'neither day has many');
  await lake.append(lakeRow(200, { created_at: new Date('2026-11-03T00:00:01Z') }));
  await lake.settle();
  assert.equal(failures, []);
  assert.is(compactedFiles(dataDir).length, 1);
  assert.equal(await count(dataDir), [81n, 81n]);
});

test('so have several that are the first ones at once, as those of models side by side', async (state) => {
  const { dataDir, storage, controller, failures } = state;
  for (let number = 0; number < 70; number += 1) await appendRun(storage, lakeRow(number));
  const list = storage.list.bind(storage);
  storage.list = async (folder) => {
    await sleep(100);
    return list(folder);
  };
  state.lake = await ResearchLake.open({
    ...{ storage, dataDir, signal: controller.signal },
    now: () => new Date(),
    onFailure: (message) => failures.push(message),
  });
  const created_at = new Date('2026-11-03T00:00:01Z');
  await Promise.all([200, 201, 202].map((number) => state.lake.append(lakeRow(number, { created_at }))));
  await state.lake.settle();
  assert.equal(failures, []);
  assert.is(compactedFiles(dataDir).length, 1);
});

test('a run is found in the file that took in another one since the manifest was read, and beside a lost one', async ({
  dataDir,
  storage,
}) => {
  const run = (hours: number) => {
    const now = () => new Date(Date.now() + hours * 3_600_000);
    return compact({ storage, dataDir, environment: 'local', urgency: 'any', now });
  };
  const append = async (from: number, to: number) => {
    for (let number = from; number < to; number += 1) await appendRun(storage, lakeRow(number));
  };
  await append(0, 3);
  await run(0);
  const before = await storage.read('local/_hx/manifest.json');
  await append(3, 6);
  await run(2);
  await run(4);
  assert.is(compactedFiles(dataDir).length, 1);
  // A process that slept for hours after it had read the manifest.
  let reads = 0;
  const late = new Proxy(storage, {
    get: (target, name) => {
      if (name !== 'read') return Reflect.get(target, name);
      return async (path: string) => {
        if (!path.endsWith('manifest.json')) return target.read(path);
        reads += 1;
        return reads === 1 ? before : target.read(path);
      };
    },
  });
  assert.ok(await new CompactedRuns(late).has('local', '2026-11-01', lakeRow(1).run_id));
  assert.is(reads, 2);
  const path = join(exportsFolder(dataDir), 'local', '_hx', 'manifest.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8'));
  const lost = { name: 'dt=2026-11-01/c-s3-9.parquet', rows: 1, bytes: 1 };
  writeFileSync(path, JSON.stringify({ ...manifest, compacted: [lost, ...manifest.compacted] }));
  const runs = new CompactedRuns(storage);
  assert.ok(await runs.has('local', '2026-11-01', lakeRow(1).run_id));
  assert.not.ok(await runs.has('local', '2026-11-01', lakeRow(7).run_id));
});

test('a failing compaction is told and fails no append; an interrupted one says nothing', async ({
  dataDir,
  lake,
  controller,
  failures,
}) => {
  for (let number = 0; number < 60; number += 1) await lake.append(lakeRow(number));
  const broken = join(exportsFolder(dataDir), DAY, 'r-s3-broken.parquet');
  writeFileSync(broken, 'PAR1 not really PAR1');
  for (let number = 60; number < 80; number += 1) await lake.append(lakeRow(number));
  await lake.settle();
  assert.is(failures.length, 1);
  assert.match(failures[0] ?? '', /r-s3-broken\.parquet.*hx export compact --env local/);
  assert.is(readdirSync(join(exportsFolder(dataDir), DAY)).length, 81);
  controller.abort(new Error('Ctrl-C'));
  for (let number = 80; number < 160; number += 1) await lake.append(lakeRow(number));
  await lake.settle();
  assert.is(failures.length, 1);
});

test.run();
