import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  makeWorkFolder,
  markedNames,
  pendingPath,
  removeLeftOvers,
  removePending,
} from '../../src/base/left-overs.js';
import { packagePath } from '../../src/base/paths.js';
import { isAlive, newMark, writerOf } from '../../src/base/process-mark.js';
import { makeTempFolder, removeFolder } from '../helpers.js';
import { deadMark, foreignMark, reusedMark } from './marks.js';

const test = suite<{ folder: string }>('left-overs');

const HOUR_MS = 60 * 60 * 1000;
/** Numbers tell processes of other times apart on Linux alone. */
const KNOWS_STARTS = process.platform === 'linux';

test.before.each((state) => {
  state.folder = makeTempFolder();
});
test.after.each(({ folder }) => removeFolder(folder));

/** A process of hx that prints a mark of its own and lives on. */
async function startMarked(): Promise<{ child: ChildProcess; mark: string }> {
  const script = `
    import { newMark } from ${JSON.stringify(packagePath('src', 'base', 'process-mark.ts'))};
    process.stdout.write(newMark());
    setInterval(() => {}, 1000);`;
  const argv = ['--import', 'tsx', '--input-type=module', '--eval', script];
  const child = spawn(process.execPath, argv, {
    cwd: packagePath(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [mark] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, mark: String(mark) };
}

function touch(path: string, ageMs = 0): string {
  writeFileSync(path, 'half');
  const at = new Date(Date.now() - ageMs);
  utimesSync(path, at, at);
  return path;
}

test('a mark tells whether its writer runs, also when it stands still, and is never the same twice', async () => {
  assert.is(writerOf(newMark()), 'alive');
  assert.is.not(newMark(), newMark());
  const { child, mark } = await startMarked();
  assert.is(writerOf(mark), 'alive');
  child.kill('SIGSTOP');
  assert.is(writerOf(mark), 'alive');
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.is(writerOf(mark), 'dead');
  assert.is(isAlive(child.pid ?? 0), false);
  assert.is(writerOf(deadMark()), 'dead');
  assert.is(writerOf(foreignMark()), 'unknown');
  if (KNOWS_STARTS) assert.is(writerOf(reusedMark()), 'dead', 'another process has that number now');
});

test('what dead processes left goes at once, what a living one writes never, and what another machine left in time', ({
  folder,
}) => {
  const name = (mark: string) => join(folder, `x.${mark}.tmp`);
  const dead = touch(name(deadMark()));
  const deadFolder = name(deadMark());
  mkdirSync(join(deadFolder, 'deep'), { recursive: true });
  const living = touch(name(newMark()), 1_000 * HOUR_MS);
  const foreign = touch(name(foreignMark()), HOUR_MS);
  const longGone = touch(name(foreignMark()), 3 * HOUR_MS);
  const others = ['notes.tmp', `y.${deadMark()}.tmp`, `x.${deadMark()}.tmp.bak`].map((file) =>
    touch(join(folder, file), 1_000 * HOUR_MS),
  );
  removeLeftOvers(folder, markedNames('x\\.', '\\.tmp'), 2 * HOUR_MS);
  for (const path of [dead, deadFolder, longGone]) assert.not.ok(existsSync(path), path);
  for (const path of [living, foreign, ...others]) assert.ok(existsSync(path), path);
  removeLeftOvers(join(folder, 'missing'), markedNames('x\\.', '\\.tmp'));
});

test('where everybody may write, only what belongs to our account goes', ({ folder }) => {
  chmodSync(folder, 0o1777);
  const [own, other] = [deadMark(), deadMark()].map((mark) => touch(join(folder, mark)));
  // Only root can give a file away.
  const isRoot = process.getuid?.() === 0;
  if (isRoot) chownSync(other ?? '', 65_534, 65_534);
  removeLeftOvers(folder, markedNames('', ''));
  assert.equal([existsSync(own ?? ''), existsSync(other ?? '')], [false, isRoot]);
});

test('a work folder is for our eyes only, and those of killed processes go with the next one', async () => {
  const prefix = 'hx-test-work-';
  const { child, mark } = await startMarked();
  const theirs = join(tmpdir(), `${prefix}${mark}`);
  mkdirSync(theirs);
  const first = makeWorkFolder(prefix);
  const second = makeWorkFolder(prefix);
  assert.is(statSync(first).mode & 0o777, 0o700);
  assert.equal([first, second, theirs].map(existsSync), [true, true, true]);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const third = makeWorkFolder(prefix);
  assert.equal([first, second, theirs].map(existsSync), [true, true, false]);
  for (const path of [first, second, third]) rmSync(path, { recursive: true });
});

test('a file under way is hidden beside its place, and goes when its writer is dead', ({ folder }) => {
  const path = join(folder, 'result.csv');
  const pending = touch(pendingPath(path));
  assert.match(readdirSync(folder)[0] ?? '', /^\.result\.csv\..*\.tmp$/);
  const dead = touch(pending.replace(/[^.]+\.tmp$/, `${deadMark()}.tmp`));
  removePending(folder);
  assert.equal([pending, dead].map(existsSync), [true, false]);
});

test.run();
