import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HxError } from '../../../src/base/errors.js';
import { openSqlSession } from '../../../src/operational/psql/session.js';
import { createTestDatabase, makeTempFolder, runHx, type TestDatabase } from '../../helpers.js';

const test = suite('db psql');
const ENTRY = fileURLToPath(new URL('../../entry.ts', import.meta.url));
let local: TestDatabase;
let production: TestDatabase;

test.before(async () => {
  local = await createTestDatabase();
  production = await createTestDatabase({ environment: 'production' });
});
test.after(async () => {
  await local.drop();
  await production.drop();
});

function psql(argv: string[], database = local, stdin?: string) {
  return runHx(['db', 'psql', ...argv], {
    env: database.variables,
    ...(stdin === undefined ? {} : { stdin }),
  });
}

test('without psql it answers in CSV, says what was done, and stops at what fails', async () => {
  const text = `select 1 as a, true as b, 1.50::numeric as c, null as d, 'x;y' as e;
    create temporary table t (a integer); insert into t values (1), (2); select * from t where false;
    select 1 / 0; select 'never';`;
  const { exitCode, stdout, stderr } = await psql([], local, text);
  assert.is(exitCode, 1);
  assert.is(stdout, 'a,b,c,d,e\r\n1,true,1.50,,x;y\r\n\nCREATE TABLE\n\nINSERT 2\n\na\r\n\n');
  assert.is(stderr, 'hx: division by zero\n');
});

test('an error shows the place in its line', async () => {
  const { exitCode, stderr } = await psql(['-c', "select 'é' as a,\n  1 fro t"]);
  assert.is(exitCode, 1);
  assert.is(stderr, 'hx: syntax error at or near "t"\nLINE 2:   1 fro t\n                ^\n');
});

test('JSON is one value that loses no digit', async () => {
  const sql = `select 9007199254740993 as big, 1.10::numeric as exact, 0.1::float8 as ratio, '{"a":1}'::jsonb as j`;
  const one = await psql(['--json', '-c', sql]);
  assert.equal(JSON.parse(one.stdout), [{ big: '9007199254740993', exact: '1.10', ratio: 0.1, j: { a: 1 } }]);
  const several = await psql(['--json', '-c', 'begin', '-c', 'select 1 as a', '-c', 'commit']);
  assert.equal(JSON.parse(several.stdout), [{ done: 'BEGIN' }, [{ a: 1 }], { done: 'COMMIT' }]);
});

test('many rows come in batches, to the last one', async () => {
  const { stdout } = await psql(['-c', 'select * from generate_series(1, 12345) n']);
  const lines = stdout.trim().split('\r\n');
  assert.is(lines.length, 12_346);
  assert.is(lines.at(-1), '12345');
});

test('a local session writes; a read-only one is refused by the server, and by the guard when it says otherwise', async () => {
  const insert = "insert into users (email) values ('a@example.org')";
  const written = await psql(['-c', insert]);
  assert.is(written.stdout, 'INSERT 1\n', written.stderr);
  const readOnly = await psql(['--read-only', '-c', 'delete from users']);
  assert.is(readOnly.exitCode, 1);
  assert.match(
    readOnly.stderr,
    /cannot execute DELETE in a read-only transaction\n.*without --read-only it writes/,
  );
  const told = await psql([
    '--read-only',
    '-c',
    'set default_transaction_read_only = off; delete from users',
  ]);
  assert.match(told.stderr, /This session did not declare an environment/);
  assert.equal([...(await local.sql`select count(*)::integer as users from users`)], [{ users: 1 }]);
});

test('production is read unless --write is given and meant', async () => {
  const insert = ['-c', "insert into users (email) values ('a@example.org')"];
  const read = await psql(insert, production);
  assert.match(read.stderr, /read-only transaction\n.*--env production --write/);
  const asked = await psql([...insert, '--write'], production);
  assert.is(asked.exitCode, 2);
  assert.match(asked.stderr, /would write to production\.\n.*--write --yes/);
  assert.is((await psql([...insert, '--write', '--yes'], production)).stdout, 'INSERT 1\n');
  assert.is((await psql(['--write', '--read-only', '-c', 'select 1'])).exitCode, 2);
});

test("another environment's database is refused before anything runs", async () => {
  const env = { HX_ENV: 'local', DATABASE_URL: production.url, HX_DATA_DIR: makeTempFolder() };
  const { exitCode, stderr } = await runHx(['db', 'psql', '-c', 'select 1'], { env });
  assert.is(exitCode, 1);
  assert.match(stderr, /This command is for local, but the database there is the production one/);
});

test('COPY over standard input or output is refused, as it would wait for ever', async () => {
  for (const sql of ['copy users from stdin', 'copy (select 1) to STDOUT']) {
    const { exitCode, stderr } = await psql(['-c', sql]);
    assert.is(exitCode, 2);
    assert.match(stderr, /needs psql/);
  }
});

test('a cancelled statement leaves the session fit for the next, and notices are told', async () => {
  const notices: string[] = [];
  const open = { settings: local.settings, signal: new AbortController().signal, emit: () => undefined };
  const session = await openSqlSession(open, false, (message) => notices.push(message));
  try {
    for (const sql of [
      'select pg_sleep(60)',
      'select n, pg_sleep(0.001) from generate_series(1, 100000) n',
    ]) {
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 300);
      const read = async () => {
        for await (const _rows of (await session.run(sql, controller.signal)).chunks);
      };
      const error = await read().catch((thrown: unknown) => thrown);
      assert.instance(error, HxError);
      assert.is((error as HxError).code, 'interrupted');
    }
    const noted = await session.run("do $$ begin raise notice 'hello'; end $$", open.signal);
    for await (const _rows of noted.chunks);
    assert.equal(notices, ['NOTICE: hello']);
    const { columns, chunks } = await session.run('select 1 as one', open.signal);
    assert.equal(columns, [{ name: 'one', type: 'INTEGER' }]);
    for await (const rows of chunks) assert.equal(rows, [[1n]]);
  } finally {
    await session.close();
  }
});

/** A program named psql that does what a script says, in a folder of its own. */
function fakePsql(script: string): string {
  const folder = makeTempFolder();
  writeFileSync(join(folder, 'psql'), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, 'psql'), 0o755);
  return folder;
}

function startHx(argv: string[], path: string, database = local) {
  const env = {
    ...database.variables,
    PATH: `${path}:/usr/bin:/bin`,
    HOME: makeTempFolder(),
    PGHOST: 'elsewhere',
  };
  return spawn(process.execPath, ['--import', 'tsx', ENTRY, 'db', 'psql', ...argv], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
}

async function outputOf(child: ReturnType<typeof startHx>): Promise<{ code: number | null; output: string }> {
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += String(chunk)));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

test('psql gets the connection in variables and files, never the password itself, and its exit code is ours', async () => {
  const path = fakePsql(
    'echo "ARGS $*"; env; echo "FILE $(cat "$PGPASSFILE") $(ls -l "$PGPASSFILE")"; cat "$PSQLRC"; exit 7',
  );
  const { code, output } = await outputOf(startHx(['-c', 'select 1', '--read-only'], path));
  assert.is(code, 7, output);
  const url = new URL(local.url);
  assert.match(output, '\nPGHOST=127.0.0.1\n');
  assert.match(output, `\nPGPORT=${url.port}\n`);
  assert.match(output, `\nPGDATABASE=${url.pathname.slice(1)}\n`);
  assert.match(output, '\nPGOPTIONS=-c default_transaction_read_only=on\n');
  assert.match(output, '\nPGSSLMODE=disable\n');
  assert.match(output, 'ARGS --no-password --set=ON_ERROR_STOP=1 --command select 1');
  assert.match(output, new RegExp(`^FILE \\*:\\*:\\*:\\*:${url.password} -rw-------`, 'm'));
  assert.match(output, /PROMPT1 '.*local \(read-only\)/);
  const shown = output.replaceAll(local.url, '').replace(/^FILE .*$/m, '');
  assert.not.match(shown, url.password, 'the password is in its file alone');
  const [, file = ''] = /^PGPASSFILE=(.*)$/m.exec(output) ?? [];
  assert.match(file, join(tmpdir(), 'hx-psql-'));
  assert.is(existsSync(file), false, 'and that goes with the session');
});

test('Ctrl-C is for psql alone, and the signal that ends it is told', async () => {
  const path = fakePsql(
    `trap 'echo stopped' INT; trap 'echo ended; exit 3' TERM; echo ready; while :; do sleep 0.1; done`,
  );
  const child = startHx([], path);
  let seen = '';
  const waitFor = async (word: string) => {
    while (!seen.includes(word)) await once(child.stdout, 'data');
  };
  child.stdout.on('data', (chunk: Buffer) => (seen += String(chunk)));
  const ended = once(child, 'close');
  await waitFor('ready');
  for (const count of [1, 2]) {
    // As the terminal does: to everybody in the group.
    process.kill(-(child.pid ?? 0), 'SIGINT');
    while (seen.split('stopped').length <= count) await once(child.stdout, 'data');
  }
  child.kill('SIGTERM');
  assert.equal(await ended, [3, null]);
  assert.match(seen, 'ended');
  assert.equal(
    readdirSync(tmpdir()).filter((name) => name.startsWith('hx-psql-') && name.includes(`-${child.pid}-`)),
    [],
  );
});

test.run();
