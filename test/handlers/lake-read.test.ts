import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadDuckdb } from '../../src/lake/engine/duckdb-api.js';
import { appendRun } from '../../src/lake/writer.js';
import { makeTempFolder, removeFolder, runHx } from '../helpers.js';
import { lakeRow } from '../lake/rows.js';
import { type S3Server, startS3, storageAt } from '../lake/storage/s3-server.js';

interface State {
  server: S3Server;
  folder: string;
  home: string | undefined;
  hx(argv: string[], way?: string): ReturnType<typeof runHx>;
}

const test = suite<State>('how a lake on S3 is read');
const COUNT = ['query', 'SELECT count(*) FROM checks', '--format', 'csv'];

test.before(async (state) => {
  state.server = await startS3();
  state.folder = makeTempFolder();
  await appendRun(storageAt(state.server, 'read', join(state.folder, 'staging')), lakeRow(1));
  // DuckDB keeps what is installed below the home folder: in this one there is nothing.
  state.home = process.env['HOME'];
  process.env['HOME'] = join(state.folder, 'home');
  state.hx = (argv, way) => {
    const env = { ...state.server.settings('read'), HX_DATA_DIR: makeTempFolder() };
    return runHx(argv, { env: way === undefined ? env : { ...env, HX_LAKE_READ: way } });
  };
});
test.after(async ({ server, folder, home }) => {
  process.env['HOME'] = home;
  await server.stop();
  removeFolder(folder);
});

test('without httpfs files are fetched, unless httpfs is asked for', async ({ hx }) => {
  for (const way of [undefined, 'auto', 'cache']) {
    const { exitCode, stdout, stderr } = await hx(COUNT, way);
    assert.is(exitCode, 0, stderr);
    assert.match(stdout, /\r\n1\r\n$/);
    assert.match(stderr, /^Fetched 1 file \(0\.0 MB\) of s3:\/\/hx-test-bucket\/read\.\n$/);
  }
  const demanded = await hx(COUNT, 'httpfs');
  assert.is(demanded.exitCode, 2);
  assert.match(demanded.stderr, /HX_LAKE_READ is httpfs, but httpfs is not installed for DuckDB v[\d.]+\./);
  assert.match(demanded.stderr, /duckdb -c 'INSTALL httpfs'.*HX_LAKE_READ=cache/);
});

test('doctor says how queries go, and what stands in their way', async ({ hx }) => {
  const found = async (way?: string) => {
    const { findings } = JSON.parse((await hx(['doctor', '--json'], way)).stdout);
    return findings.find(({ name }: { name: string }) => name === 'Queries on S3');
  };
  assert.match(
    (await found()).detail,
    /^fetch the files that they need \(httpfs is not installed for DuckDB/,
  );
  assert.is((await found('cache')).detail, 'fetch the files that they need (HX_LAKE_READ says so)');
  const demanded = await found('httpfs');
  assert.is(demanded.state, 'broken');
  assert.match(demanded.fix, 'INSTALL httpfs');
});

test('a way that there is not is refused by name', async ({ hx }) => {
  const { exitCode, stderr } = await hx(COUNT, 'fetch');
  assert.is(exitCode, 2);
  assert.match(stderr, 'HX_LAKE_READ (from environment) is "fetch"');
  assert.match(stderr, 'auto, httpfs, cache');
});

test('an httpfs that does not load is named, and never used', async ({ hx }) => {
  const instance = await loadDuckdb().DuckDBInstance.create();
  const connection = await instance.connect();
  const [[version, platform] = []] = (
    await connection.runAndReadAll('SELECT version(), platform FROM pragma_platform()')
  ).getRows();
  connection.closeSync();
  instance.closeSync();
  const folder = join(process.env['HOME'] ?? '', '.duckdb', 'extensions', String(version), String(platform));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'httpfs.duckdb_extension'), 'no extension'.repeat(100));
  const { exitCode, stdout, stderr } = await hx(COUNT);
  assert.is(exitCode, 0, stderr);
  assert.match(stdout, /\r\n1\r\n$/);
  assert.match(
    stderr,
    /^httpfs is installed, but DuckDB v[\d.]+ does not load it \(.+\)\. The lake's files are fetched/,
  );
  assert.match(stderr, 'FORCE INSTALL httpfs');
  assert.match(stderr, /\nFetched 1 file/);
});

test.run();
