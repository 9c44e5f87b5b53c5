import { readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Context } from '../../src/handlers/context.js';
import { invoke } from '../../src/handlers/index.js';
import { openLakeEngine } from '../../src/lake/engine/engine.js';
import { exportsFolder } from '../../src/lake/files/partition.js';
import { LocalStorage } from '../../src/lake/storage/local.js';
import type { TestDatabase } from '../database.js';
import { createTestDatabase, makeTempFolder } from '../helpers.js';
import { runRows } from '../lake/collect.js';
import { assertRight, change, compactNow, machineOf, store, unguard } from './machines.js';
import { Sleep } from './sleeping-storage.js';

/** Machines that share a lake and no lock: each has a data folder of its own. */
interface State {
  database: TestDatabase;
  /** Its `exports` folder is the lake. */
  lakeDir: string;
  storage: LocalStorage;
  open: Context[];
  machine: (storage?: LocalStorage) => Context;
  stored: number;
}

const test = suite<State>('exports of machines without a common lock');

test.before.each(async (state) => {
  state.database = await createTestDatabase({ environment: 'local' });
  await unguard(state.database);
  state.lakeDir = makeTempFolder();
  state.storage = new LocalStorage(exportsFolder(state.lakeDir));
  state.open = [];
  state.stored = 0;
  state.machine = (storage = state.storage) => {
    const context = machineOf(state.database, { storage });
    state.open.push(context);
    return context;
  };
});
test.after.each(async ({ open, database }) => {
  for (const { lanes } of open) await lanes.close();
  await database.drop();
});

const DAYS = ['2026-11-01', '2026-11-02', '2026-11-03'];

/** Stores so many checks, on the days in turn. */
async function add(state: State, context: Context, count: number): Promise<void> {
  await store(context, state.stored, count, DAYS.length);
  state.stored += count;
}

/** Fails unless readers see what was exported once, with the database's values. */
async function assertOnce({ lakeDir }: State, context: Context, about: string): Promise<bigint> {
  await assertRight(context, about);
  const engine = await openLakeEngine({ dataDir: lakeDir });
  const [[rows, runs] = []] = await runRows(engine, 'SELECT count(*), count(DISTINCT run_id) FROM checks');
  engine.close();
  assert.is(rows, runs, about);
  return rows as bigint;
}

function filesOf({ lakeDir }: State): string[] {
  return readdirSync(exportsFolder(lakeDir), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.parquet'))
    .sort();
}

test('one with dates and one without, at once and over and over, bring every check once', async (state) => {
  const [one, other, third] = [state.machine(), state.machine(), state.machine()];
  let isOver = false;
  const write = async () => {
    while (!isOver) await add(state, one, 1);
  };
  const exportAll = async () => {
    try {
      for (let round = 0; round < 8; round += 1) {
        const [since, until] = [DAYS[round % 2], DAYS[1 + (round % 2)]];
        await Promise.all([
          invoke('exportChecks', {}, one),
          invoke('exportChecks', { since: since as string, until: until as string }, other),
          ...(round % 3 === 0 ? [invoke('exportCompact', {}, third)] : []),
        ]);
      }
    } finally {
      isOver = true;
    }
  };
  await Promise.all([write(), exportAll()]);
  await invoke('exportChecks', {}, one);
  assert.is(await assertOnce(state, one, 'at the end'), BigInt(state.stored));
});

test('one that falls asleep anywhere, while another carries on, compacts and removes, doubles nothing', async (state) => {
  const awake = state.machine();
  const slept: string[] = [];
  for (let at = 1; ; at += 1) {
    await add(state, awake, 6);
    await change(state.database, `created_at::date = '${DAYS[2]}' and revision < ${at % 3}`);
    const sleep = new Sleep(at);
    const sleeper = state.machine(sleep.over(state.storage));
    const given = at % 2 === 0 ? {} : { since: DAYS[0], until: DAYS[1] };
    const exporting = invoke('exportChecks', given, sleeper);
    const ended = await Promise.race([exporting.then(() => true), sleep.begun.then(() => false)]);
    if (ended) break;
    slept.push(sleep.what);
    // Of the second day every check of the sleeper's range changes, so that whoever carries it on has no such file.
    await change(state.database, `created_at::date = '${DAYS[1]}'`);
    await add(state, awake, 1);
    await invoke('exportChecks', at % 3 === 0 ? { since: DAYS[1], until: DAYS[2] } : {}, awake);
    await invoke('exportChecks', {}, awake);
    await compactNow(awake);
    sleep.wake();
    await exporting;
    await assertOnce(
      state,
      awake,
      `after a sleep before call ${at}, ${sleep.what}: ${filesOf(state).join(' ')}`,
    );
  }
  assert.ok(
    slept.some((what) => what.startsWith('publish')),
    slept.join('\n'),
  );
  assert.ok(
    slept.some((what) => what.includes('/commits/')),
    slept.join('\n'),
  );
  await invoke('exportChecks', {}, awake);
  await compactNow(awake);
  assert.is(await assertOnce(state, awake, 'compacted'), BigInt(state.stored));
  assert.is(filesOf(state).length, DAYS.length, filesOf(state).join(' '));
});

test('one that falls asleep at its first look at a new lake, while another exports, misses no record of it', async (state) => {
  await add(state, state.machine(), 6);
  for (const name of ['exportChecks', 'exportVerify'] as const) {
    for (let at = 1; at <= 4; at += 1) {
      const storage = new LocalStorage(exportsFolder(makeTempFolder()));
      const awake = state.machine(storage);
      const sleep = new Sleep(at);
      const looking = invoke(name, {}, state.machine(sleep.over(storage)));
      await Promise.race([looking, sleep.begun]);
      await invoke('exportChecks', {}, awake);
      sleep.wake();
      await looking;
      await assertRight(awake, `${name} asleep before ${sleep.what}`);
    }
  }
});

test('one that sleeps while its lake is moved away and made anew adds nothing to the new one', async (state) => {
  const awake = state.machine();
  await add(state, awake, 6);
  await invoke('exportChecks', {}, awake);
  await add(state, awake, 6);
  const sleep = new Sleep(5);
  const exporting = invoke('exportChecks', {}, state.machine(sleep.over(state.storage)));
  await Promise.race([exporting, sleep.begun]);
  assert.match(sleep.what, /^stage .*x-s3-/);
  renameSync(join(exportsFolder(state.lakeDir), 'local'), join(makeTempFolder(), 'away'));
  await invoke('exportChecks', {}, awake);
  sleep.wake();
  assert.is((await exporting).rows, 0);
  assert.is(await assertOnce(state, awake, filesOf(state).join(' ')), BigInt(state.stored));
});

test.run();
