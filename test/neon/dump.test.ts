import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findPsql } from '../../src/cli/psql/client.js';
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

const ENTRY = fileURLToPath(new URL('../entry.ts', import.meta.url));
const IF_INSTALLED = findPsql(process.env['PATH']) === undefined ? test.skip : test;

IF_INSTALLED('an installed psql reaches a branch by TLS that it verifies itself', async () => {
  const bench = await startNeonBench();
  await createMigrated(bench, 'asked');
  // libpq looks names up by itself, and the system does not know those of the bench.
  const url = new URL(bench.direct('asked'));
  url.hostname = '127.0.0.1';
  const folder = makeTempFolder();
  const psql = (...argv: string[]) =>
    spawnSync(process.execPath, ['--import', 'tsx', ENTRY, 'db', 'psql', '--env', 'development', ...argv], {
      env: {
        PATH: process.env['PATH'],
        HOME: folder,
        HX_DATA_DIR: folder,
        DATABASE_URL_DEV: url.toString(),
        PSQL_PAGER: 'cat',
      },
      encoding: 'utf8',
    });
  const state = `select ssl, current_setting('hx.env') from pg_stat_ssl where pid = pg_backend_pid()`;
  const asked = psql('-c', '\\pset format unaligned', '-c', state, '-c', '\\! echo $PGSSLMODE');
  assert.is(asked.status, 0, asked.stderr);
  assert.match(asked.stdout, /^t\|development$/m);
  assert.match(asked.stdout, /^verify-full$/m);
  const written = psql('-c', insertCache('development'));
  assert.is(written.stdout, 'INSERT 0 1\n', written.stderr);
  const read = psql('--read-only', '-c', 'delete from result_cache');
  assert.is(read.status, 1);
  assert.match(read.stderr, /cannot execute DELETE in a read-only transaction/);
  // It connects anew, to a server whose certificate is for another name.
  const elsewhere = psql('-c', '\\c "host=localhost hostaddr=127.0.0.1"');
  assert.is.not(elsewhere.status, 0);
  assert.match(elsewhere.stderr, /does not match host name "localhost"/);
  await bench.drop('asked');
  rmSync(folder, { recursive: true, force: true });
});

test('without sslrootcert both kinds of session trust what Node does, NODE_EXTRA_CA_CERTS too', async () => {
  const bench = await startNeonBench();
  await createMigrated(bench, 'trusted');
  const folder = makeTempFolder();
  writeFileSync(join(folder, 'psql'), '#!/bin/sh\ncat "$PGSSLROOTCERT"\n');
  chmodSync(join(folder, 'psql'), 0o755);
  const url = new URL(bench.direct('trusted'));
  url.hostname = '127.0.0.1';
  url.searchParams.delete('sslrootcert');
  const psql = (extra: string | undefined, ...argv: string[]) =>
    spawnSync(process.execPath, ['--import', 'tsx', ENTRY, 'db', 'psql', ...argv], {
      env: {
        PATH: `${folder}:${process.env['PATH']}`,
        HX_ENV: 'development',
        HX_DATA_DIR: folder,
        DATABASE_URL_DEV: url.toString(),
        NODE_EXTRA_CA_CERTS: extra,
      },
      encoding: 'utf8',
    });
  const own = psql(bench.ca, '--plain', '-c', 'select ssl from pg_stat_ssl where pid = pg_backend_pid()');
  assert.is(own.stdout, 'ssl\r\ntrue\r\n', own.stderr);
  const installed = psql(bench.ca, '-c', 'select 1');
  assert.is(installed.status, 0, installed.stderr);
  assert.match(installed.stdout, readFileSync(bench.ca, 'utf8').trim());
  assert.ok(installed.stdout.split('BEGIN CERTIFICATE').length > 50, 'and the authorities that Node brings');
  // Without it neither gets as far as a session.
  for (const argv of [['--plain'], []]) {
    const refused = psql(undefined, ...argv, '-c', 'select 1');
    assert.is(refused.status, 3);
    assert.match(refused.stderr, /The TLS connection to the development database cannot be trusted/);
  }
  await bench.drop('trusted');
});

test.run();
