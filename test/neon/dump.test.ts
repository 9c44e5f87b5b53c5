import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connectTo } from '../database.js';
import { makeTempFolder, runHx } from '../helpers.js';
import { insertCache } from '../operational/fixtures.js';
import { startNeonBench } from './bench.js';
import { createMigrated } from './client.js';

const test = suite('dump, restore and psql of a branch');

test('a branch is dumped and restored through TLS by a login that is no superuser, from its pooled address', async () => {
  const bench = await startNeonBench();
  const folder = makeTempFolder();
  const file = join(folder, 'x.dump.gz');
  for (const name of ['dumped', 'restored']) {
    await createMigrated(bench, name);
  }
  const hx = (argv: string[], database: string) =>
    runHx([...argv, '--env', 'development'], {
      env: { DATABASE_URL_DEV: bench.pooled(database), HX_DATA_DIR: folder },
    });
  const written = await hx(['db', 'psql', '-c', insertCache('development')], 'dumped');
  assert.is(written.stdout, 'INSERT 1\n', written.stderr);
  const dumped = await hx(['db', 'dump', '-o', file, '--json'], 'dumped');
  assert.is(dumped.exitCode, 0, dumped.stderr);
  const restored = await hx(['db', 'restore', file, '--json'], 'restored');
  assert.is(restored.exitCode, 0, restored.stderr);
  assert.equal(JSON.parse(restored.stdout).tables, JSON.parse(dumped.stdout).tables);
  const sql = connectTo(bench.admin('restored'));
  assert.equal([...(await sql`select env from result_cache`)], [{ env: 'development' }]);
  await sql.end();
  for (const name of ['dumped', 'restored']) await bench.drop(name);
  rmSync(folder, { recursive: true, force: true });
});

test.run();
