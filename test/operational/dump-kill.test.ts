import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { dumpDatabase } from '../../src/operational/dump/dump.js';
import { restoreDump } from '../../src/operational/dump/restore.js';
import { createTestDatabase, makeTempFolder, type TestDatabase } from '../helpers.js';
import { writeAs } from './fixtures.js';

const ENTRY = fileURLToPath(new URL('../entry.ts', import.meta.url));
const ROWS = 30_000;
const test = suite('dump and restore, killed');
let source: TestDatabase;
let target: TestDatabase;

test.before(async () => {
  source = await createTestDatabase();
  target = await createTestDatabase();
  await writeAs(
    source.sql,
    'local',
    `insert into users (email) select repeat('x', 1000) || n || '@example.org' from generate_series(1, ${ROWS}) n;
     select setval('audit_log_audit_id_seq', 77)`,
  );
});
test.after(async () => {
  await source.drop();
  await target.drop();
});

function start(database: TestDatabase, ...argv: string[]) {
  const env = { ...database.variables, HX_DATA_DIR: makeTempFolder(), PATH: process.env['PATH'] };
  return spawn(process.execPath, ['--import', 'tsx', ENTRY, 'db', ...argv], { env, stdio: 'ignore' });
}

async function kill(child: ReturnType<typeof start>): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  assert.equal(await ended, [null, 'SIGKILL'], 'it was still at work');
}

function quiet({ settings }: TestDatabase) {
  return { settings, signal: new AbortController().signal, emit: () => undefined };
}

function dump(path: string) {
  return dumpDatabase({ ...quiet(source), path, now: new Date() });
}

test('a killed dump leaves no file of its name, and another one that the next dump removes unless it goes on', async () => {
  const own = join(makeTempFolder(), 'killed');
  const seen = () => (existsSync(own) ? readdirSync(own).sort() : []);
  const child = start(source, 'dump', '-o', join(own, 'cut.dump.gz'));
  while (seen().length === 0 && child.exitCode === null) await sleep(5);
  child.kill('SIGSTOP');
  const [unfinished = ''] = seen();
  assert.match(unfinished, /^\.cut\.dump\.gz\..*\.tmp$/);
  await dump(join(own, 'one'));
  assert.equal(seen(), [unfinished, 'one'], 'its process is there yet');
  await kill(child);
  writeFileSync(join(own, '.notes.tmp'), '');
  const { rows } = await dump(join(own, 'cut.dump.gz'));
  assert.is(rows, ROWS);
  assert.equal(seen(), ['.notes.tmp', 'cut.dump.gz', 'one']);
});

test('a restore that is killed while it writes, or while it reads back, leaves no row and no sequence moved', async () => {
  const path = join(makeTempFolder(), 'x.dump.gz');
  await dump(path);
  for (const command of ['COPY FROM', 'COPY TO']) {
    const child = start(target, 'restore', path);
    while (!(await isCopying(command))) {
      assert.is(child.exitCode, null, `${command} was never seen`);
      await sleep(2);
    }
    await kill(child);
    await untilAlone();
    assert.equal(await state(), { users: 0, sequence: '1' }, command);
  }
  const { rows } = await restoreDump({ ...quiet(target), path, dryRun: false });
  assert.is(rows, ROWS);
  assert.equal(await state(), { users: ROWS, sequence: '77' });
});

/** Whether the restore is amid the rows of users. */
async function isCopying(command: string): Promise<boolean> {
  const [row] = await target.sql`
    select exists (
      select from pg_stat_progress_copy
      where datname = current_database() and command = ${command} and tuples_processed > 100
    ) as copying`;
  return row?.['copying'] === true;
}

/** The server notices that a client is gone when it next speaks to it. */
async function untilAlone(): Promise<void> {
  for (;;) {
    const [row] = await target.sql`
      select count(*)::integer as others from pg_stat_activity
      where datname = current_database() and application_name = 'hx db restore'`;
    if (row?.['others'] === 0) return;
    await sleep(10);
  }
}

async function state() {
  const [row] = await target.sql`
    select (select count(*)::integer from users) as users, last_value::text as sequence from audit_log_audit_id_seq`;
  return { ...row };
}

test.run();
