import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import promises, { writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { HxError } from '../../../src/base/errors.js';
import { packagePath } from '../../../src/base/paths.js';
import { sleep } from '../../../src/base/time.js';
import { lockFile } from '../../../src/lake/storage/file-lock.js';
import { LocalStorage } from '../../../src/lake/storage/local.js';
import { deadMark, foreignMark } from '../../base/marks.js';
import { makeTempFolder, removeFolder } from '../../helpers.js';
import { bytesOf, publish, testContract, textOf } from './contract.js';

interface State {
  root: string;
  storage: LocalStorage;
}

const test = suite<State>('local storage');

test.before.each((state) => {
  state.root = join(makeTempFolder(), 'exports');
  state.storage = new LocalStorage(state.root);
});
test.after.each(({ root }) => removeFolder(dirname(root)));

testContract(test);

const filesIn = (folder: string) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();

/** Runs a module's text in a process of its own. */
function start(text: string, ...argv: string[]) {
  const script = `
    import { LocalStorage } from ${JSON.stringify(packagePath('src', 'lake', 'storage', 'local.ts'))};
    ${text}`;
  return spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script, ...argv], {
    cwd: packagePath(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

const exitOf = (child: ReturnType<typeof start>) =>
  new Promise<number | null>((resolve) => child.once('exit', resolve));

test('a staged file stands beside its place, and nothing of it is left once it is published or given up', async ({
  root,
  storage,
}) => {
  const first = await storage.stage('local/dt=2026-11-01/x.parquet');
  assert.is(dirname(first.path), join(root, 'local', 'dt=2026-11-01'));
  assert.match(first.path, /x\.parquet\.[0-9a-f-]+\.tmp$/);
  await writeFile(first.path, 'content');
  assert.is(await textOf(storage, 'local/dt=2026-11-01/x.parquet'), undefined);
  await first.publish();
  await first.discard();
  const second = await storage.stage('local/dt=2026-11-01/y.parquet');
  await second.discard();
  assert.equal(filesIn(join(root, 'local', 'dt=2026-11-01')), ['x.parquet']);
  assert.is(await textOf(storage, 'local/dt=2026-11-01/x.parquet'), 'content');
});

test('another program may replace the staged file by its own before it is published', async ({ storage }) => {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const staged = await storage.stage('local/dt=2026-11-01/c.parquet');
  await connection.run(`COPY (FROM range(1000)) TO '${staged.path}' (FORMAT parquet)`);
  const { bytes, present } = await staged.publish();
  assert.not.ok(present);
  const [found] = await storage.list('local');
  assert.equal(found, { name: 'local/dt=2026-11-01/c.parquet', bytes });
  const reader = await connection.runAndReadAll(
    `SELECT count(*) FROM '${join(storage.url, found?.name ?? '')}'`,
  );
  assert.equal(reader.getRowsJS(), [[1000n]]);
  connection.closeSync();
  instance.closeSync();
});

test('four processes that add to one file at once lose nothing', async ({ root, storage }) => {
  const script = `
    const storage = new LocalStorage(process.argv[1]);
    for (let added = 0; added < 25; ) {
      const found = await storage.read('local/_hx/count.json');
      const count = found === undefined ? 0 : Number(new TextDecoder().decode(found.bytes));
      const bytes = new TextEncoder().encode(String(count + 1));
      if ((await storage.replace('local/_hx/count.json', bytes, found?.tag)) !== undefined) added += 1;
    }`;
  const codes = await Promise.all([1, 2, 3, 4].map(() => exitOf(start(script, root))));
  assert.equal(codes, [0, 0, 0, 0]);
  assert.is(await textOf(storage, 'local/_hx/count.json'), '100');
});

test('a writer killed at any moment leaves whole files only, and each that it reported', async ({
  root,
  storage,
}) => {
  const script = `
    const storage = new LocalStorage(process.argv[1]);
    const bytes = new Uint8Array(300_000).fill(7);
    for (let number = 0; ; number += 1) {
      await storage.putIfAbsent('local/dt=2026-11-01/' + number + '.parquet', bytes);
      process.stdout.write(number + '\\n');
    }`;
  const child = start(script, root);
  const exited = exitOf(child);
  let told = '';
  child.stdout.on('data', (chunk) => {
    told += chunk;
    if (told.split('\n').length > 20) child.kill('SIGKILL');
  });
  await exited;
  const stored = await storage.list('');
  assert.ok(stored.every(({ bytes }) => bytes === 300_000));
  const reported = told.split('\n').slice(0, -1);
  const names = new Set(stored.map(({ name }) => name));
  for (const number of reported) assert.ok(names.has(`local/dt=2026-11-01/${number}.parquet`), number);
});

test('what dead writers left below a folder goes, and nothing of living ones', async ({ root, storage }) => {
  const folder = join(root, 'local', 'dt=2026-11-01');
  await publish(storage, 'local/dt=2026-11-01/y.parquet', 'whole');
  await publish(storage, 'production/_hx/a.json', '{}');
  const staged = await storage.stage('local/dt=2026-11-01/z.parquet');
  const [dead, foreign] = [deadMark(), foreignMark()];
  const kept = ['notes.tmp', `x.parquet.${dead}.tmp.bak`, `x.txt.${dead}.tmp`, `new.parquet.${foreign}.tmp`];
  const gone = [`x.parquet.${dead}.tmp`, `a.json.${dead}.tmp`, `old.parquet.${foreign}.tmp`];
  const longAgo = new Date(Date.now() - 2 * 60 * 60 * 1000);
  for (const name of [...gone, ...kept]) {
    writeFileSync(join(folder, name), 'half');
    if (!name.startsWith('new')) utimesSync(join(folder, name), longAgo, longAgo);
  }
  utimesSync(staged.path, longAgo, longAgo);
  const elsewhere = join(root, 'production', '_hx', `a.json.${dead}.tmp`);
  writeFileSync(elsewhere, 'half');
  await storage.removeLeftOvers('local');
  assert.equal(filesIn(folder), [...kept, 'y.parquet', basename(staged.path)].sort());
  assert.ok(existsSync(elsewhere), 'below that folder alone');
  await storage.removeLeftOvers('');
  assert.equal(filesIn(join(root, 'production', '_hx')), ['a.json']);
  await storage.removeLeftOvers('development');
  assert.equal(await staged.publish(), { bytes: 0, present: false });
});

/** Makes this process's file system refuse hard links, as FAT and some network ones do. */
async function withoutHardLinks(work: () => Promise<void>): Promise<void> {
  const { link } = promises;
  promises.link = () => Promise.reject(Object.assign(new Error('no hard links here'), { code: 'EPERM' }));
  syncBuiltinESMExports();
  try {
    await work();
  } finally {
    promises.link = link;
    syncBuiltinESMExports();
  }
}

test('a file system without hard links does the same under a lock', async ({ root, storage }) => {
  await withoutHardLinks(async () => {
    const numbers = ['1', '2', '3', '4'];
    const got = await Promise.all(numbers.map((text) => storage.putIfAbsent('a/x.json', bytesOf(text))));
    assert.is(got.filter(Boolean).length, 1);
    assert.is(await textOf(storage, 'a/x.json'), numbers[got.indexOf(true)]);
    assert.not.ok(await storage.putIfAbsent('a/x.json', bytesOf('late')));
    assert.equal(await publish(storage, 'a/x.json', 'late'), { bytes: 4, present: true });
    assert.equal(await publish(storage, 'a/y.json', 'first'), { bytes: 5, present: false });
    assert.equal(filesIn(join(root, 'a')), ['x.json', 'y.json']);
  });
});

async function failureOf(work: () => Promise<unknown>): Promise<HxError> {
  try {
    await work();
  } catch (error) {
    return error as HxError;
  }
  return assert.unreachable('nothing was thrown') as never;
}

test('a full disk leaves nothing, names the file and says what to do', async ({ root, storage }) => {
  const script = `
    const storage = new LocalStorage(process.argv[2]);
    await storage.putIfAbsent('local/a.json', new Uint8Array(300_000)).catch(({ code, message, hint }) =>
      process.stdout.write(JSON.stringify({ code, message, hint })));`;
  const file = join(dirname(root), 'script.mjs');
  const importing = `import { LocalStorage } from ${JSON.stringify(packagePath('src', 'lake', 'storage', 'local.ts'))};`;
  writeFileSync(file, importing + script);
  // A limit of the shell's on every file stands for a disk that fills in the middle of one.
  const limited = 'ulimit -f 100; exec "$0" --import tsx "$1" "$2"';
  const { stdout } = spawnSync('bash', ['-c', limited, process.execPath, file, root], { cwd: packagePath() });
  const { code, message, hint } = JSON.parse(String(stdout));
  assert.is(code, 'failed');
  assert.match(message, join(root, 'local', 'a.json'), String(stdout));
  assert.match(hint, 'HX_DATA_DIR');
  assert.equal(filesIn(root), ['local']);
  assert.ok(await storage.putIfAbsent('local/a.json', bytesOf('a')));
});

test('nothing is removed while another process that may bring it back replaces a file', async ({
  root,
  storage,
}) => {
  await storage.putIfAbsent('local/a.json', bytesOf('a'));
  const release = await lockFile(join(root, '.storage.lock'), { pollMs: 5 });
  const removal = storage.removeAll(['local/a.json']);
  await sleep(100);
  assert.is(await textOf(storage, 'local/a.json'), 'a');
  release();
  await removal;
  assert.is(await storage.read('local/a.json'), undefined);
});

test('a file in the place of the lake is named', async ({ root, storage }) => {
  writeFileSync(root, 'in the way');
  for (const work of [
    () => storage.putIfAbsent('local/a.json', bytesOf('a')),
    () => storage.stage('local/dt=2026-11-01/x.parquet'),
    () => storage.replace('local/a.json', bytesOf('a'), undefined),
  ]) {
    const error = await failureOf(work);
    assert.is(error.code, 'failed');
    assert.match(error.message, root);
    assert.ok(error.hint);
  }
});

test.run();
