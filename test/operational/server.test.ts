import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HxError } from '../../src/base/errors.js';
import { isAlive } from '../../src/base/process-mark.js';
import { clusterFolder } from '../../src/operational/server/cluster.js';
import {
  localDown,
  localReset,
  localStatus,
  localUp,
  type UpOptions,
} from '../../src/operational/server/local.js';
import { findFreePort } from '../../src/operational/server/ports.js';
import { runProgram } from '../../src/operational/server/process.js';
import { connectTo } from '../database.js';
import { failureOf, makeTempFolder, removeFolder } from '../helpers.js';

const test = suite('local server');
let dataDir: string;
let notes: string[];

// Making a cluster is what takes time, so a test goes on with the one it finds unless it resets first.
test.before(() => {
  dataDir = makeTempFolder();
});
test.before.each(() => {
  notes = [];
});
test.after(async () => {
  await localReset(options());
  removeFolder(dataDir);
});

function options(changes: Partial<UpOptions> = {}): UpOptions {
  return {
    dataDir,
    signal: new AbortController().signal,
    emit: (event) => {
      if (event.type === 'note') notes.push(event.message);
    },
    engine: 'embedded',
    port: undefined,
    serverSettings: ['fsync=off'],
    ...changes,
  };
}

/** Runs one query over a connection of its own. */
async function ask(url: string | null, query: string): Promise<unknown> {
  const sql = connectTo(url ?? '');
  try {
    const [row] = await sql.unsafe(query);
    return Object.values(row ?? {})[0];
  } finally {
    await sql.end();
  }
}

function listen(port: number): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer().listen(port, '127.0.0.1', () => resolve(server));
  });
}

test('up makes a cluster and starts it, a second up changes nothing, down keeps the data', async () => {
  const first = await localUp(options());
  assert.is(first.started, true);
  assert.is(await ask(first.url, 'show server_version_num').then((text) => String(text).slice(0, 2)), '17');
  assert.is(await ask(first.url, 'show data_checksums'), 'on');
  assert.is(await ask(first.url, 'show listen_addresses'), '127.0.0.1');
  await ask(first.url, 'create table kept ()');
  const second = await localUp(options());
  assert.is(second.started, false);
  assert.is(second.pid, first.pid);
  assert.is(await localDown(options()), true);
  assert.is(await localDown(options()), false);
  assert.is((await localStatus(options())).running, false);
  const third = await localUp(options());
  assert.is(third.port, first.port, 'the port is remembered');
  assert.is(await ask(third.url, "select to_regclass('kept') is not null"), true);
});

test('only the owner reads the password, and a wrong one is refused', async () => {
  const { url } = await localUp(options());
  assert.is(statSync(clusterFolder(dataDir).stateFile).mode & 0o777, 0o600);
  const wrong = (url ?? '').replace(/:[0-9a-f]+@/, ':wrong@');
  await ask(wrong, 'select 1').then(
    () => assert.unreachable(),
    (error) => assert.is(error.code, '28P01'),
  );
});

test('two at once start one server', async () => {
  await localReset(options());
  const servers = await Promise.all([localUp(options()), localUp(options())]);
  assert.equal(servers.map(({ started }) => started).sort(), [false, true]);
  assert.is(servers[0]?.pid, servers[1]?.pid);
});

test('a killed server is started again, and recovers', async () => {
  const first = await localUp(options());
  await ask(first.url, 'create table kept_by_recovery ()');
  process.kill(first.pid ?? 0, 'SIGKILL');
  while (isAlive(first.pid ?? 0)) await new Promise((resolve) => setImmediate(resolve));
  assert.is((await localStatus(options())).running, false);
  const second = await localUp(options());
  assert.is.not(second.pid, first.pid);
  assert.is(await ask(second.url, "select to_regclass('kept_by_recovery') is not null"), true);
  assert.ok(notes.some((note) => note.includes('ended without cleaning up')));
});

test('a stale pid that belongs to another program by now is no server', async () => {
  const { dataFolder } = await localUp(options());
  await localDown(options());
  writeFileSync(join(dataFolder ?? '', 'postmaster.pid'), `${process.pid}\n${dataFolder}\n`);
  assert.is((await localStatus(options())).running, false);
  assert.is(await localDown(options()), false);
  const again = await localUp(options());
  assert.is(again.started, true);
  assert.is(await ask(again.url, 'select 1'), 1);
});

test('a taken port is gone around and the new one remembered; a wanted one is an error', async () => {
  const first = await localUp(options());
  await localDown(options());
  const blocker = await listen(first.port ?? 0);
  try {
    const second = await localUp(options());
    assert.is.not(second.port, first.port);
    assert.ok(notes.some((note) => note.startsWith(`Port ${first.port} is taken`)));
    await localDown(options());
    await localUp(options({ port: first.port ?? 0 })).then(
      () => assert.unreachable(),
      (error) => {
        assert.ok(error instanceof HxError);
        assert.is(error.code, 'configuration');
        assert.match(error.message, new RegExp(`Port ${first.port} \\(HX_PG_PORT\\) is taken`));
      },
    );
  } finally {
    await new Promise((resolve) => blocker.close(resolve));
  }
  await localDown(options());
  const wanted = await findFreePort();
  assert.is((await localUp(options({ port: wanted }))).port, wanted);
});

test('a half-made cluster is made anew', async () => {
  await localReset(options());
  const { folder } = clusterFolder(dataDir);
  mkdirSync(join(folder, 'data', 'base'), { recursive: true });
  writeFileSync(join(folder, 'data', 'PG_VERSION'), '17\n');
  mkdirSync(join(folder, 'data.partial'));
  writeFileSync(join(folder, 'data.partial', 'PG_VERSION'), '17\n');
  const server = await localUp(options());
  assert.is(await ask(server.url, 'select 1'), 1);
  assert.ok(notes.some((note) => note.startsWith('Removed a half-made cluster')));
  assert.is(existsSync(join(folder, 'data.partial')), false);
});

test('a cluster that was whole and lost files is not silently replaced', async () => {
  const { dataFolder } = await localUp(options());
  await localDown(options());
  rmSync(join(dataFolder ?? '', 'global', 'pg_control'));
  await localUp(options()).then(
    () => assert.unreachable(),
    (error) => {
      assert.ok(error instanceof HxError);
      assert.is(error.code, 'conflict');
      assert.match(error.hint ?? '', /hx db reset --yes/);
    },
  );
  assert.ok(existsSync(join(dataFolder ?? '', 'base')));
  await localReset(options());
});

test('a lost password is replaced without losing data, even while the server runs', async () => {
  const first = await localUp(options());
  await ask(first.url, 'create table kept_by_password ()');
  rmSync(clusterFolder(dataDir).stateFile);
  const second = await localUp(options());
  assert.is.not(second.url, first.url);
  assert.is(await ask(second.url, "select to_regclass('kept_by_password') is not null"), true);
});

test('two data folders run side by side', async () => {
  const other = makeTempFolder();
  try {
    const servers = [await localUp(options()), await localUp(options({ dataDir: other }))];
    assert.is.not(servers[0]?.port, servers[1]?.port);
    const folders = await Promise.all(servers.map(({ url }) => ask(url, 'show data_directory')));
    assert.equal(
      folders,
      servers.map(({ dataFolder }) => dataFolder),
    );
  } finally {
    await localReset(options({ dataDir: other }));
    removeFolder(other);
  }
});

test('a folder that only its owner may enter serves too, and reset takes the copies away', async () => {
  await localReset(options());
  chmodSync(dataDir, 0o700);
  const server = await localUp(options());
  assert.is(await ask(server.url, 'select 1'), 1);
  assert.is(server.copies !== null, process.getuid?.() === 0, 'copies are for root only');
  await localReset(options());
  assert.is(server.copies !== null && existsSync(server.copies), false);
  chmodSync(dataDir, 0o755);
});

test('copies whose cluster folder was deleted go with the next start; others stay', async () => {
  if (process.getuid?.() !== 0) return;
  await localReset(options());
  chmodSync(dataDir, 0o700);
  const orphan = join('/var/lib', 'hx-postgres-test-orphan');
  const kept = join('/var/lib', 'hx-postgres-test-kept');
  for (const [folder, origin] of [
    [orphan, join(dataDir, 'deleted')],
    [kept, dataDir],
  ] as const) {
    mkdirSync(folder);
    writeFileSync(join(folder, 'origin'), origin);
  }
  await localUp(options());
  assert.is(existsSync(orphan), false);
  assert.is(existsSync(kept), true);
  rmSync(kept, { recursive: true });
  await localReset(options());
  chmodSync(dataDir, 0o755);
});

test('a damaged state file is an error that says so, and reset is the way out', async () => {
  await localUp(options());
  const { stateFile } = clusterFolder(dataDir);
  writeFileSync(stateFile, readFileSync(stateFile, 'utf8').slice(0, 20));
  await localUp(options()).then(
    () => assert.unreachable(),
    (error) => {
      assert.ok(error instanceof HxError);
      assert.is(error.code, 'conflict');
      assert.match(error.message, /server\.json is damaged/);
    },
  );
  await localReset(options());
  assert.is((await localUp(options())).started, true);
});

test('reset removes everything but the lock, running or not', async () => {
  const server = await localUp(options());
  assert.is(await localReset(options()), true);
  assert.is(isAlive(server.pid ?? 0), false);
  assert.equal(readdirSync(server.folder), ['lock']);
  assert.is((await localStatus(options())).engine, null);
  assert.is(await localReset(options()), false, 'there is nothing left to remove');
});

test('a reset where nothing was ever started makes nothing', async () => {
  const fresh = join(dataDir, 'fresh');
  assert.is(await localReset(options({ dataDir: fresh })), false);
  assert.is(existsSync(fresh), false);
});

test('a data folder that cannot be made is an error, even below /proc', async () => {
  const file = join(dataDir, 'file');
  writeFileSync(file, '');
  const folders = existsSync('/proc/self') ? ['/proc/nope', file] : [file];
  for (const folder of folders) {
    await localUp(options({ dataDir: folder })).then(
      () => assert.unreachable(),
      (error) => {
        assert.ok(error instanceof HxError);
        assert.is(error.code, 'configuration');
        assert.match(error.message, `Cannot make ${join(folder, 'postgres')}`);
        assert.match(error.hint ?? '', /HX_DATA_DIR/);
      },
    );
  }
});

test('an account without a name, as in a container run as a number, is told what Postgres wants', async () => {
  const said = 'initdb: could not look up effective user ID 12345: user does not exist';
  const { signal } = new AbortController();
  const run = (words: string) =>
    failureOf(runProgram('/bin/sh', ['-c', `echo "${words}"; exit 1`], { account: undefined, signal }));
  assert.match(
    (await run(said)).hint ?? '',
    /an account with a name: add one of that number to \/etc\/passwd/,
  );
  assert.match((await run('anything else')).hint ?? '', /db reset/);
});

test.run();
