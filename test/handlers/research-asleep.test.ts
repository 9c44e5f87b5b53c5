import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sleep } from '../../src/base/time.js';
import { lakePlace } from '../../src/handlers/lake-place.js';
import { compact } from '../../src/lake/compaction/compact.js';
import { openLakeStorage } from '../../src/lake/storage/open.js';
import { makeTempFolder, makeTestSettings, removeFolder, runHx } from '../helpers.js';
import { type S3Server, startS3 } from '../lake/storage/s3-server.js';
import { startScript } from './machines.js';

/** Research whose process stands still within an append, while others do all that they can. */
interface State {
  server: S3Server;
  dataDir: string;
}

type Sleeper = ReturnType<typeof startScript>;
const sleepers = new Set<Sleeper>();

const test = suite<State>('research that stands still');
const OPTIONS = ['--model', 'simulator/default', '-K', '4', '-R', '1', '-B', '200'];
const CLAIM = 'Honey never spoils';
let prefixes = 0;

test.before(async (state) => {
  state.server = await startS3();
});
test.after(({ server }) => server.stop());
test.before.each((state) => {
  state.dataDir = makeTempFolder();
});
test.after.each(({ dataDir }) => {
  // A test that failed has woken none.
  for (const { child } of sleepers) child.kill('SIGKILL');
  sleepers.clear();
  removeFolder(dataDir);
});

function envOf({ server, dataDir }: State, place: 'disk' | 'S3'): Record<string, string> {
  prefixes += 1;
  return { HX_DATA_DIR: dataDir, ...(place === 'S3' ? server.settings(`asleep-${prefixes}`) : {}) };
}

async function hx(env: Record<string, string>, ...argv: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runHx(argv, { env });
  assert.is(exitCode, 0, stderr);
  return `${stdout}${stderr}`;
}

/** Starts research that stops itself, and waits until it has. */
async function stoppedResearch(env: Record<string, string>, side: 'before' | 'after'): Promise<Sleeper> {
  const sleeper = startScript('handlers/stopping-research.ts', [CLAIM, side], {
    PATH: process.env['PATH'],
    ...env,
  });
  sleepers.add(sleeper);
  while (!/\) T /.test(readFileSync(`/proc/${sleeper.child.pid}/stat`, 'latin1'))) {
    assert.is(sleeper.child.exitCode, null, sleeper.said());
    await sleep(20);
  }
  return sleeper;
}

/** Makes one file of each day, and removes what it replaces as if an hour had passed. */
async function compactNow(env: Record<string, string>): Promise<void> {
  const { HX_DATA_DIR: dataDir = '', ...rest } = env;
  const storage = await openLakeStorage(lakePlace(makeTestSettings({ ...rest, dataDir })));
  for (let round = 0; round < 2; round += 1) {
    const options = { storage, dataDir, environment: 'local' as const, urgency: 'any' as const, graceMs: 0 };
    await compact({ ...options, now: () => new Date(), onWait: () => {} });
  }
}

const COUNTS = ['query', 'select count(*), count(distinct run_id) from research_runs', '--format', 'csv'];

for (const place of ['disk', 'S3'] as const) {
  test(`a run whose append stands still is left to it, and is once in a lake on ${place} when it goes on`, async (state) => {
    const env = envOf(state, place);
    await hx(env, 'research', 'Water is wet', ...OPTIONS);
    const sleeper = await stoppedResearch(env, 'before');
    const said = await hx(env, 'export', 'research');
    await hx(env, 'research', 'Glass flows', ...OPTIONS);
    await compactNow(env);
    const before = await hx(env, ...COUNTS);
    sleeper.child.kill('SIGCONT');
    assert.is(await sleeper.ended, 0, sleeper.said());
    assert.match(await hx(env, ...COUNTS), /3,3/);
    assert.match(before, /2,2/);
    assert.match(said, /^2 runs: 0 appended, 0 mended, 1 left to another process/);
    assert.match(await hx(env, 'export', 'research'), /^3 runs: all in the lake already/);
  });
}

test('a run that arrived before its process stood still is seen, compacted and not appended again', async (state) => {
  const env = envOf(state, 'disk');
  await hx(env, 'research', 'Water is wet', ...OPTIONS);
  const sleeper = await stoppedResearch(env, 'after');
  assert.match(await hx(env, 'export', 'research'), /^2 runs: all in the lake already/);
  await compactNow(env);
  assert.match(await hx(env, 'export', 'research'), /^2 runs: all in the lake already/);
  sleeper.child.kill('SIGCONT');
  assert.is(await sleeper.ended, 0, sleeper.said());
  assert.match(await hx(env, ...COUNTS), /2,2/);
});

test('who asks for a run that another process is appending is told, and gets it once that has ended', async (state) => {
  const env = envOf(state, 'disk');
  const sleeper = await stoppedResearch(env, 'before');
  assert.match(
    await hx(env, 'research', CLAIM, ...OPTIONS),
    new RegExp(`process ${sleeper.child.pid} is bringing it to the lake. If that stands still,`),
  );
  sleeper.child.kill('SIGKILL');
  await sleeper.ended;
  assert.match(await hx(env, 'research', CLAIM, ...OPTIONS), /measured before/);
  assert.match(await hx(env, ...COUNTS), /1,1/);
});

test.run();
