import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { makeTempFolder, removeFolder, runHx } from '../helpers.js';

interface State {
  dataDir: string;
  hx: (...argv: string[]) => Promise<string>;
}

const test = suite<State>('export research');

test.before.each(async (state) => {
  state.dataDir = makeTempFolder();
  state.hx = async (...argv) => {
    const { exitCode, stdout, stderr } = await runHx(argv, { env: { HX_DATA_DIR: state.dataDir } });
    assert.is(exitCode, 0, stderr);
    return stdout.trim();
  };
  for (const claim of ['Water is wet', 'The moon is made of cheese', 'Honey never spoils']) {
    await state.hx('research', claim, '--model', 'simulator/default', '-K', '8', '-R', '1', '-B', '200');
  }
});
test.after.each(({ dataDir }) => removeFolder(dataDir));

/** The content of every file of the lake, by its name. */
function lake(dataDir: string): Map<string, Buffer> {
  const folder = join(dataDir, 'exports');
  if (!existsSync(folder)) return new Map();
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.parquet'),
  );
  return new Map(names.sort().map((name) => [name, readFileSync(join(folder, name))]));
}

const COUNTS = ['query', 'select count(*), count(distinct run_id) from research_runs', '--format', 'csv'];

test('a lake that was lost comes back from the store, byte for byte', async ({ dataDir, hx }) => {
  const before = lake(dataDir);
  assert.is(before.size, 3);
  assert.match(await hx('export', 'research'), /^3 runs: all in the lake already, in /);
  assert.equal(lake(dataDir), before);
  rmSync(join(dataDir, 'exports'), { recursive: true });
  assert.match(await hx('export', 'research'), /^3 runs: 3 appended, 0 mended, in /);
  assert.equal(lake(dataDir), before);
});

test('a file that holds anything else is written anew, the others stay, and so do other files', async ({
  dataDir,
  hx,
}) => {
  const before = lake(dataDir);
  const [first = '', second = '', third = ''] = [...before.keys()].map((name) =>
    join(dataDir, 'exports', name),
  );
  writeFileSync(first, 'half a fi');
  rmSync(second);
  const other = third.replace(/r-s3-.*$/, 'x-s3-12345678-0-9.parquet');
  cpSync(third, other);
  const result = JSON.parse(await hx('export', 'research', '--json'));
  assert.equal([result.runs, result.appended, result.mended, result.days.length], [3, 1, 1, 1]);
  assert.ok(existsSync(other));
  rmSync(other);
  assert.equal(lake(dataDir), before);
});

test('runs that compaction has taken in are not appended again', async ({ dataDir, hx }) => {
  await hx('export', 'compact');
  assert.match(await hx('export', 'research'), /all in the lake already/);
  // An hour later their own files are gone.
  for (const name of lake(dataDir).keys()) {
    if (name.includes('/r-s3-')) rmSync(join(dataDir, 'exports', name));
  }
  assert.match(await hx('export', 'research'), /all in the lake already/);
  assert.match(await hx(...COUNTS), /3,3$/);
  const [compacted = ''] = [...lake(dataDir).keys()].filter((name) => name.includes('/c-s3-'));
  writeFileSync(join(dataDir, 'exports', compacted), 'PAR1 not really');
  const { exitCode, stderr } = await runHx(['export', 'research'], { env: { HX_DATA_DIR: dataDir } });
  assert.is(exitCode, 1);
  assert.match(stderr, /Cannot read local\/dt=.*\/c-s3-1\.parquet of the lake: .*\n.*docs\/exports\.md/);
});

test('two at once, beside a sweep, leave every run once', async ({ dataDir, hx }) => {
  rmSync(join(dataDir, 'exports'), { recursive: true });
  await Promise.all([
    hx('export', 'research'),
    hx('export', 'research'),
    hx('research', 'Glass flows', '--model', 'simulator/default', '-K', '8', '-R', '1', '-B', '200'),
  ]);
  assert.match(await hx(...COUNTS), /4,4$/);
});

test.run();
