import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { newMark } from '../../src/base/process-mark.js';
import { sleep } from '../../src/base/time.js';
import { deadMark } from '../base/marks.js';
import { makeTempFolder, removeFolder, runHx } from '../helpers.js';
import { startModelServer } from '../models/server.js';

const research = suite('hx research');

let folder: string;
research.before.each(() => {
  folder = makeTempFolder();
});
research.after.each(() => removeFolder(folder));

const hx = (...argv: string[]) => runHx(['research', ...argv], { folder });

/** Reads the store beside hx, as another program would. */
function read<T>(sql: string): T[] {
  const sqlite = new Database(join(folder, 'data', 'research.sqlite'), { readonly: true });
  const rows = sqlite.prepare(sql).all() as T[];
  sqlite.close();
  return rows;
}

/** How many attempts are stored; 0 while the store is still being made. */
function attemptsStored(): number {
  if (!existsSync(join(folder, 'data', 'research.sqlite'))) return 0;
  const [table] = read<{ found: number }>(
    "select count(*) as found from sqlite_master where name = 'attempts'",
  );
  return table?.found === 1 ? read('select 1 from attempts').length : 0;
}

function lakeFiles(): string[] {
  const exports = join(folder, 'data', 'exports', 'local');
  return existsSync(exports)
    ? readdirSync(exports, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('.parquet'))
    : [];
}

research('a claim is measured into SQLite and its row into the lake', async () => {
  const { exitCode, stdout } = await hx(
    'Tides are caused by the moon',
    '--model',
    'simulator/default',
    '--json',
  );
  assert.is(exitCode, 0);
  const run = JSON.parse(stdout);
  assert.is(run.env, 'local');
  assert.is(run.simulated, true);
  assert.is(run.n_samples, 32);
  assert.ok(run.ci_lo <= run.prob_true_rpl && run.prob_true_rpl <= run.ci_hi);
  assert.equal(read('select run_id from runs'), [{ run_id: run.run_id }]);
  assert.equal(lakeFiles(), [join(`dt=${run.created_at.slice(0, 10)}`, `r-s3-${run.run_id}.parquet`)]);
  const query = await runHx(['query', 'select run_id, prob_true_rpl from checks_local', '--format', 'json'], {
    folder,
  });
  assert.equal(JSON.parse(query.stdout), [{ run_id: run.run_id, prob_true_rpl: run.prob_true_rpl }]);
});

research('the same configuration again asks nothing and says so; --no-cache measures anew', async () => {
  const argv = ['A claim', '--model', 'simulator/default', '--json'];
  const first = JSON.parse((await hx(...argv)).stdout);
  const second = JSON.parse((await hx(...argv)).stdout);
  assert.is(second.run_id, first.run_id);
  assert.is(second.reused, true);
  assert.is(read('select 1 from attempts').length, 32);
  const third = JSON.parse((await hx(...argv, '--no-cache')).stdout);
  assert.is.not(third.run_id, first.run_id);
  assert.is.not(third.prob_true_rpl, first.prob_true_rpl);
  assert.is(read('select 1 from attempts').length, 64);
  assert.is(lakeFiles().length, 2);
});

research('another estimator uses the stored answers', async () => {
  await hx('A claim', '--model', 'simulator/default');
  const run = JSON.parse(
    (await hx('A claim', '--model', 'simulator/default', '--estimator', 'rpl-1', '--json')).stdout,
  );
  assert.is(run.calls_made, 0);
  assert.is(run.samples_reused, 32);
  assert.is(run.estimator, 'rpl-1');
  assert.equal(read('select reused, count(*) as samples from execution_samples group by 1 order by 1'), [
    { reused: 0, samples: 32 },
    { reused: 1, samples: 32 },
  ]);
});

research('a sample that took two tries counts so for the runs that reuse it', async () => {
  const respond = (_request: unknown, index: number) =>
    index === 0 ? ({ type: 'off-schema' } as const) : ({ type: 'good' } as const);
  const server = await startModelServer({ respond });
  const env = { HX_COMPATIBLE_BASE_URL: server.baseUrl };
  const argv = ['research', 'A claim', '--model', 'compatible/test-model', '--json', '-B'];
  const first = JSON.parse((await runHx([...argv, '500'], { folder, env })).stdout);
  const second = JSON.parse((await runHx([...argv, '600'], { folder, env })).stdout);
  await server.close();
  assert.is(server.calls.length, 33);
  assert.is(second.calls_made, 0);
  assert.is(second.samples_reused, 32);
  assert.is(first.compliance_strict_first, 31 / 32);
  assert.is(second.compliance_strict_first, 31 / 32);
});

research('bad lines are named by number and the good ones still run', async () => {
  writeFileSync(
    join(folder, 'claims.jsonl'),
    '{"claim":"one"}\nnot json\n\n{"klaim":"x"}\n{"claim":"  "}\n{"claim":"two","id":7}\n',
  );
  const { exitCode, stdout, stderr } = await hx(
    '--claims',
    'claims.jsonl',
    '--model',
    'simulator/default',
    '--json',
  );
  assert.is(exitCode, 2);
  const claims = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).claim);
  assert.equal(claims, ['one', 'two']);
  for (const line of [2, 4, 5]) assert.match(stderr, `claims.jsonl, line ${line}:`);
  assert.is(lakeFiles().length, 2);
});

research('a claim that gets too few answers fails alone, its answers kept', async () => {
  writeFileSync(join(folder, 'claims.jsonl'), '{"claim":"one"}\n{"claim":"two"}\n');
  const argv = ['--claims', 'claims.jsonl', '--model', 'simulator/refusing', '-K', '2', '-R', '1', '-T', '2'];
  const { exitCode, stderr } = await hx(...argv);
  assert.is(exitCode, 1);
  assert.match(stderr, /line 1: .*too few/);
  assert.match(stderr, /line 2: .*too few/);
  assert.ok(read('select 1 from attempts').length >= 4);
  assert.equal(lakeFiles(), []);
});

research('what cannot be measured ends with code 2 and writes nothing', async () => {
  for (const argv of [
    ['', '--model', 'simulator/default'],
    ['x'.repeat(20_000), '--model', 'simulator/default'],
    ['a\u0001b', '--model', 'simulator/default'],
    ['A claim', '--model', 'nope/x'],
    ['A claim', '--model', 'simulator/nope'],
    ['A claim'],
    ['A claim', '--model', 'simulator/default', '--claims', 'x'],
    ['A claim', '--model', 'simulator/default', '-K', '65'],
    ['A claim', '--model', 'simulator/default', '-R', '0'],
    ['A claim', '--model', 'simulator/default', '-B', '1e9'],
    ['A claim', '--model', 'simulator/default', '--seed', '-1'],
    ['A claim', '--model', 'simulator/default', '--bank', 'nope'],
    ['A claim', '--model', 'simulator/default', '--estimator', 'rpl-9'],
    ['--claims', 'nowhere.jsonl', '--model', 'simulator/default'],
  ]) {
    const { exitCode, stdout, stderr } = await hx(...argv);
    assert.is(exitCode, 2, `${argv.join(' ').slice(0, 80)}: ${stderr}`);
    assert.is(stdout, '');
    assert.match(stderr, /^hx: .+\n {4}.+/, argv.join(' ').slice(0, 80));
  }
  assert.equal(lakeFiles(), []);
});

research('a data folder that cannot be one is named before anything is asked', async () => {
  writeFileSync(join(folder, 'file'), '');
  for (const [name, problem] of [
    ['file', 'a file is in its place'],
    ['back\\slash', 'DuckDB takes the \\ in its path for the end of a folder'],
  ] as const) {
    const dataDir = join(folder, name);
    const env = { HX_DATA_DIR: dataDir };
    for (const argv of [
      ['research', 'A claim', '--model', 'simulator/default'],
      ['query', 'SELECT 1'],
      ['export', 'compact'],
    ]) {
      const { exitCode, stderr } = await runHx(argv, { env });
      assert.is(exitCode, 2, stderr);
      assert.ok(stderr.includes(`The data folder ${dataDir} cannot be used: ${problem}.`), stderr);
      assert.match(stderr, 'HX_DATA_DIR');
    }
  }
});

research('an interrupted run keeps what came, and the same command carries on', async () => {
  const controller = new AbortController();
  const argv = ['research', 'A claim', '--model', 'simulator/slow', '--concurrency', '4', '--json'];
  const running = runHx(argv, { folder, signal: controller.signal });
  while (attemptsStored() === 0) await sleep(20);
  controller.abort(Object.assign(new Error('stop'), { name: 'AbortError' }));
  const { exitCode, stderr } = await running;
  assert.is(exitCode, 130);
  assert.match(stderr, /of 32 answers are stored/);
  const kept = attemptsStored();
  assert.ok(kept > 0 && kept < 32, `${kept} kept`);
  assert.equal(lakeFiles(), []);
  const run = JSON.parse((await runHx(argv, { folder })).stdout);
  assert.is(run.calls_made, 32);
  assert.is(read('select distinct sample_key from attempts').length, 32);
  assert.equal(read('select outcome from executions order by started_at'), [
    { outcome: 'interrupted' },
    { outcome: 'finished' },
  ]);
});

research('an interrupted --no-cache is carried on by the same command, and not begun once more', async () => {
  const argv = [
    'research',
    'A claim',
    '--model',
    'simulator/slow',
    '-K',
    '8',
    '--concurrency',
    '2',
    '--json',
  ];
  await runHx(argv, { folder });
  const controller = new AbortController();
  const running = runHx([...argv, '--no-cache'], { folder, signal: controller.signal });
  while (attemptsStored() === 16) await sleep(20);
  controller.abort(Object.assign(new Error('stop'), { name: 'AbortError' }));
  assert.is((await running).exitCode, 130);
  const again = JSON.parse((await runHx([...argv, '--no-cache'], { folder })).stdout);
  assert.equal([again.calls_made, again.reused, attemptsStored()], [16, false, 32]);
  assert.equal(read('select count(*) as n from runs'), [{ n: 2 }]);
});

research('a resumed sample whose stored answer was unusable gets its one retry, and no more', async () => {
  const server = await startModelServer({
    respond: (_request, index) => {
      if (index === 1) return { type: 'expired' };
      return { type: index === 0 || index === 2 ? 'off-schema' : 'good' };
    },
  });
  const options = { folder, env: { HX_COMPATIBLE_BASE_URL: server.baseUrl } };
  const argv = ['research', 'A claim', '--model', 'compatible/m', '--concurrency', '1', '--json'];
  const stopped = await runHx(argv, options);
  const run = JSON.parse((await runHx(argv, options)).stdout);
  await server.close();
  assert.is(stopped.exitCode, 3);
  assert.equal([run.n_invalid, run.calls_made, server.calls.length], [1, 34, 34]);
  assert.equal(
    read(
      "select status from attempts where sample_key in (select sample_key from attempts where status = 'invalid')",
    ),
    [{ status: 'invalid' }, { status: 'failed' }, { status: 'invalid' }],
  );
});

research('kill -9 loses only calls in flight, and nothing counts twice', async () => {
  const entry = fileURLToPath(new URL('../entry.ts', import.meta.url));
  const argv = ['research', 'A claim', '--model', 'simulator/slow', '--concurrency', '4', '--json'];
  const child = spawn(process.execPath, ['--import', 'tsx', entry, ...argv], {
    env: { PATH: process.env['PATH'], HX_DATA_DIR: join(folder, 'data') },
    stdio: 'ignore',
  });
  while (attemptsStored() < 4) {
    assert.is(child.exitCode, null, 'the run ended before it could be killed');
    await sleep(20);
  }
  child.kill('SIGKILL');
  await once(child, 'exit');
  const kept = attemptsStored();
  const run = JSON.parse((await runHx(argv, { folder })).stdout);
  assert.ok(kept >= 4);
  assert.is(run.calls_made, 32);
  assert.is(run.n_usable, 32);
  assert.is(lakeFiles().length, 1);
});

research('the same run twice at once is measured once; the later one waits', async () => {
  const argv = ['research', 'A claim', '--model', 'simulator/slow', '--json'];
  const both = await Promise.all([runHx(argv, { folder }), runHx(argv, { folder })]);
  const runs = both.map(({ stdout }) => JSON.parse(stdout));
  assert.is(runs[0].run_id, runs[1].run_id);
  assert.is(attemptsStored(), 32);
  assert.match(both.map(({ stderr }) => stderr).join(''), 'being measured elsewhere');
});

research('a run whose file was removed from the lake is written again when it is asked for', async () => {
  await hx('A claim', '--model', 'simulator/default');
  removeFolder(join(folder, 'data', 'exports'));
  const { exitCode } = await hx('A claim', '--model', 'simulator/default');
  assert.is(exitCode, 0);
  assert.is(lakeFiles().length, 1);
});

research('a row that a crash kept from the lake is appended by the next run', async () => {
  await hx('A claim', '--model', 'simulator/default');
  const sqlite = new Database(join(folder, 'data', 'research.sqlite'));
  sqlite.exec('delete from published_runs');
  sqlite.close();
  removeFolder(join(folder, 'data', 'exports'));
  await hx('Another claim', '--model', 'simulator/default');
  assert.is(lakeFiles().length, 2);
});

research('what killed sweeps left unfinished goes with the next one, whatever that finds to do', async () => {
  const argv = ['A claim', '--model', 'simulator/default', '--json'];
  const { created_at, run_id } = JSON.parse((await hx(...argv)).stdout);
  const day = join(folder, 'data', 'exports', 'local', `dt=${created_at.slice(0, 10)}`);
  const before = join(folder, 'data', 'exports', 'local', 'dt=2026-01-01');
  const spilled = join(folder, 'data', `.spill-${deadMark()}`);
  const folders = ['hx-load-', 'hx-catalog-'].map((name) => join(tmpdir(), `${name}${deadMark()}`));
  for (const made of [before, spilled, ...folders]) mkdirSync(made);
  const left = [
    join(folder, 'data', `catalog.duckdb.${deadMark()}.tmp`),
    join(folder, 'data', `catalog.sql.${deadMark()}.tmp`),
    join(day, `r-s3-x.parquet.${deadMark()}.tmp`),
    join(before, `c-s3-1.parquet.${deadMark()}.tmp`),
  ];
  const alive = [
    join(before, `c-s3-2.parquet.${newMark()}.tmp`),
    join(folder, 'data', `catalog.duckdb.${newMark()}.tmp`),
  ];
  for (const path of [...left, ...alive]) writeFileSync(path, 'half');
  assert.is(JSON.parse((await hx(...argv)).stdout).run_id, run_id);
  assert.equal(
    [...left, spilled, ...folders].filter((path) => existsSync(path)),
    [],
  );
  assert.ok(alive.every((path) => existsSync(path)));
});

research.run();
