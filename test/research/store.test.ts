import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HxError } from '../../src/base/errors.js';
import { packagePath } from '../../src/base/paths.js';
import { newMark } from '../../src/base/process-mark.js';
import { Connection } from '../../src/research/connection.js';
import { openResearchStore } from '../../src/research/open.js';
import { rowToSqlite } from '../../src/research/rows.js';
import type { ExecutionStart } from '../../src/research/store.js';
import type { Column } from '../../src/rpl/column.js';
import { ATTEMPT_COLUMNS, READOUT_COLUMNS, RUN_COLUMNS } from '../../src/rpl/record.js';
import type { Attempt } from '../../src/rpl/sample.js';
import { deadMark, foreignMark, reusedMark } from '../base/marks.js';
import { makeTempFolder, removeFolder } from '../helpers.js';
import { checkRow } from '../operational/fixtures.js';

const store = suite('research store');

let folder: string;
store.before.each(() => {
  folder = makeTempFolder();
});
store.after.each(() => removeFolder(folder));

const START: ExecutionStart = {
  executionId: 'e1',
  newRunId: 'r1',
  configHash: 'c1',
  baseHash: 'c1',
  repeat: 0,
  startedAt: new Date('2026-11-22T00:00:00Z'),
};

const ATTEMPT: Attempt = {
  sampleKey: 'k1',
  templateId: 't1',
  replicate: 0,
  ordinal: 1,
  status: 'valid',
  probTrue: 0.25,
  answerText: '{"ü": "\u{1f30a}"}',
  problem: null,
  modelResolved: 'm',
  systemFingerprint: null,
  tokensIn: null,
  tokensOut: 3,
  startedAt: new Date('2026-11-22T00:00:01.234Z'),
  latencyMs: 12.5,
};

store('the real table carries the columns of the record, with their types and nullability', async () => {
  (await openResearchStore(folder)).close();
  const sqlite = new Database(join(folder, 'research.sqlite'), { readonly: true });
  const types = {
    uuid: 'TEXT',
    text: 'TEXT',
    boolean: 'INTEGER',
    integer: 'INTEGER',
    uint64: 'TEXT',
  } as const;
  const more = { double: 'REAL', money: 'TEXT', timestamp: 'TEXT', json: 'TEXT' } as const;
  const expected = (columns: readonly Column[]) =>
    columns.map(({ name, type, nullable }) => [name, { ...types, ...more }[type], nullable]);
  const real = (table: string) =>
    (sqlite.pragma(`table_info(${table})`) as { name: string; type: string; notnull: number }[]).map(
      (column) => [column.name, column.type.toUpperCase(), column.notnull === 0],
    );
  assert.equal(real('runs'), expected(RUN_COLUMNS));
  const attempts = new Map(real('attempts').map((column) => [column[0], column]));
  for (const column of expected(ATTEMPT_COLUMNS)) assert.equal(attempts.get(column[0]), column);
  const readouts = new Map(real('readouts').map((column) => [column[0], column]));
  for (const column of expected(READOUT_COLUMNS)) assert.equal(readouts.get(column[0]), column);
  sqlite.close();
});

store('a store of schema version 1 is brought up to date and keeps what it holds', async () => {
  const old = new Database(join(folder, 'research.sqlite'));
  old.exec(readFileSync(packagePath('sql', 'sqlite', 'schema.sql'), 'utf8'));
  const { prob_true_logprob, logprob_mass_other, n_readouts, ...added } = checkRow('local');
  const { readouts_by_status_json, model_changed, was_cached, cached_from, ...first } = added;
  const row = rowToSqlite(
    RUN_COLUMNS.filter(({ name }) => name in first),
    first,
  );
  const names = Object.keys(row);
  old
    .prepare(`insert into runs (${names.join(', ')}) values (${names.map((name) => `@${name}`).join(', ')})`)
    .run(row);
  old.close();
  const opened = await openResearchStore(folder);
  assert.equal(opened.findRun(first.run_id), {
    ...first,
    prob_true_logprob: null,
    logprob_mass_other: null,
    n_readouts: null,
    readouts_by_status_json: null,
    model_changed: null,
  });
  opened.close();
  const upgraded = new Database(join(folder, 'research.sqlite'), { readonly: true });
  assert.is(upgraded.pragma('user_version', { simple: true }), 4);
  upgraded.close();
  // Opening it again takes no step a second time.
  (await openResearchStore(folder)).close();
});

store('commits are durable: WAL and synchronous FULL', async () => {
  const opened = await openResearchStore(folder);
  // The pragma is the connection's own, so it is asked of the store's connection.
  const { connection } = opened as unknown as { connection: { sqlite: Database.Database } };
  const { sqlite } = connection;
  assert.is(sqlite.pragma('journal_mode', { simple: true }), 'wal');
  assert.is(sqlite.pragma('synchronous', { simple: true }), 2);
  // What need not wait for the disk leaves the next commit as it was.
  opened.beginExecution(START);
  assert.throws(() => opened.beginExecution(START), /UNIQUE/);
  assert.is(sqlite.pragma('synchronous', { simple: true }), 2);
  opened.close();
});

store('what a sweep asks for each claim takes no longer in a store of many runs', async () => {
  const opened = await openResearchStore(folder);
  const execution = opened.beginExecution(START);
  opened.latestRepeat('c1');
  opened.isRunningElsewhere(execution, START.startedAt);
  opened.touchExecution(execution, START.startedAt);
  opened.attemptsFor(['k1']);
  opened.readouts.stored(['k1']);
  opened.samplesOf('r1');
  opened.readouts.of('r1');
  opened.findRun('r1');
  opened.publications.isDone('r1');
  opened.publications.isOurs('r1');
  opened.endExecution(execution, 'failed', START.startedAt);
  const { connection } = opened as unknown as {
    connection: { sqlite: Database.Database; statements: Map<string, unknown> };
  };
  const texts = [...connection.statements.keys()].filter((text) => !text.startsWith('insert'));
  assert.ok(texts.length >= 10);
  for (const text of texts) {
    // Whatever the parameters are, the plan is the same.
    const explained = connection.sqlite.prepare(`explain query plan ${text}`);
    const plan = explained.all(...(text.match(/\?/g) ?? []).map(() => null)) as { detail: string }[];
    const whole = plan.filter(({ detail }) => /^SCAN (?!json_each|value)/.test(detail));
    assert.equal(whole, [], text);
  }
  opened.close();
});

store('an attempt comes back as it was', async () => {
  const opened = await openResearchStore(folder);
  const execution = opened.beginExecution(START);
  const failed: Attempt = {
    ...ATTEMPT,
    ordinal: 2,
    status: 'failed',
    probTrue: null,
    answerText: null,
    problem: '429',
  };
  opened.appendAttempts(execution, [ATTEMPT, failed]);
  assert.equal(
    opened.attemptsFor(['k1', 'k2']).map(({ runId, attempt }) => ({ runId, attempt })),
    [
      { runId: 'r1', attempt: ATTEMPT },
      { runId: 'r1', attempt: failed },
    ],
  );
  assert.equal(opened.attemptsFor(['k2']), []);
  opened.close();
});

store('a configuration keeps its first run id, repetitions get their own', async () => {
  const opened = await openResearchStore(folder);
  assert.is(opened.latestRepeat('c1'), undefined);
  assert.is(opened.beginExecution(START).runId, 'r1');
  assert.is(opened.beginExecution({ ...START, executionId: 'e2', newRunId: 'r2' }).runId, 'r1');
  const repeated = { ...START, executionId: 'e3', newRunId: 'r3', configHash: 'c2', repeat: 1 };
  assert.is(opened.beginExecution(repeated).runId, 'r3');
  assert.equal(opened.latestRepeat('c1'), { repeat: 1, finished: false });
  opened.close();
});

store('only one process appends a run, unless that has ended, given up or brought it', async () => {
  const folderOf = () => openResearchStore(folder);
  const [one, other] = [await folderOf(), await folderOf()];
  const run = { ...checkRow('local'), run_id: 'r1' };
  const now = START.startedAt;
  one.finishRun(one.beginExecution(START), run, [], [], now);
  const { publications } = one;
  assert.equal([publications.isOurs('r1'), other.publications.isOurs('r1')], [true, false]);
  assert.not.ok(other.publications.begin('r1'));
  assert.ok(publications.begin('r1'), 'it may begin again itself');
  // Another process that sees the run in the lake says so, and may still not append it.
  other.publications.end('r1', now);
  assert.ok(publications.isDone('r1'));
  other.publications.giveUp('r1');
  assert.not.ok(other.publications.begin('r1'));
  publications.giveUp('r1');
  assert.ok(other.publications.begin('r1'));
  other.publications.end('r1', now);
  assert.ok(publications.begin('r1'));
  const sqlite = new Database(join(folder, 'research.sqlite'));
  for (const [mark, isFree] of [
    [newMark(), false],
    [deadMark(), true],
    [reusedMark(), true],
    // SQLite is shared by the processes of one computer, so that it was started anew since.
    [foreignMark(), true],
  ] as const) {
    sqlite.prepare('update appends set writer = ?').run(mark);
    assert.is(other.publications.begin('r1'), isFree, mark);
  }
  for (const closed of [sqlite, one, other]) closed.close();
});

store('an attempt with an impossible status or probability is refused by the store itself', async () => {
  const opened = await openResearchStore(folder);
  const execution = opened.beginExecution(START);
  assert.throws(() => opened.appendAttempts(execution, [{ ...ATTEMPT, probTrue: 1.5 }]), /CHECK/);
  assert.throws(() => opened.appendAttempts(execution, [{ ...ATTEMPT, status: 'odd' as 'valid' }]), /CHECK/);
  assert.equal(opened.attemptsFor(['k1']), []);
  opened.close();
});

store(
  'a store of another schema version or a file that is no database is refused with a reason',
  async () => {
    const sqlite = new Database(join(folder, 'research.sqlite'));
    sqlite.pragma('user_version = 99');
    sqlite.close();
    const refused = async (where: string, code: string) => {
      let thrown: unknown;
      await openResearchStore(where).catch((error: unknown) => {
        thrown = error;
      });
      assert.ok(thrown instanceof HxError && thrown.code === code, String(thrown));
    };
    await refused(folder, 'conflict');
    await refused('/dev/null/nowhere', 'unavailable');
  },
);

store('a full disk is named with the store and what to do, and nothing of the transaction is kept', () => {
  const path = join(folder, 'small.sqlite');
  const sqlite = new Database(path);
  sqlite.exec('create table notes (text)');
  // SQLite says the same of a file that may not grow as of a disk that is full.
  sqlite.pragma('max_page_count = 4');
  const connection = new Connection(sqlite);
  for (const write of ['durably', 'lightly'] as const) {
    try {
      connection[write](() => connection.insert('notes', { text: 'x'.repeat(100_000) }));
      assert.unreachable();
    } catch (error) {
      assert.instance(error, HxError);
      const { code, message, hint } = error as HxError;
      assert.is(code, 'failed');
      assert.match(message, path);
      assert.match(hint ?? '', 'disk is full');
    }
  }
  connection.durably(() => connection.insert('notes', { text: 'short' }));
  assert.is(sqlite.prepare('select count(*) from notes').pluck().get(), 1);
  connection.close();
});

store('a disk that is full when the store is opened is named too, where SQLite says less', () => {
  const script = `
    import { openResearchStore } from ${JSON.stringify(packagePath('src', 'research', 'open.ts'))};
    await openResearchStore(process.argv[1]).catch(({ code, message, hint }) =>
      process.stdout.write(JSON.stringify({ code, message, hint })));`;
  // A limit of the shell's on every file stands for a disk that is full.
  const limited = 'ulimit -f 8; exec "$0" --import tsx --input-type=module --eval "$1" "$2"';
  const { stdout } = spawnSync('bash', ['-c', limited, process.execPath, script, folder], {
    cwd: packagePath(),
  });
  const { code, message, hint } = JSON.parse(String(stdout));
  assert.is(code, 'unavailable');
  assert.match(message, join(folder, 'research.sqlite'));
  assert.match(hint, 'disk may be full');
});

store.run();
