import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { packagePath } from '../../src/base/paths.js';
import type { DoctorResult } from '../../src/handlers/doctor.js';
import { EXPECTED_MAJOR, warningOf } from '../../src/operational/link.js';
import { createTestDatabase, runHx } from '../helpers.js';
import { DATABASE, startMigratedBench } from './client.js';

const test = suite('neon: doctor');

async function connectionOf(env: Record<string, string>): Promise<string> {
  const { stdout } = await runHx(['doctor', '--json'], { env });
  const { findings } = JSON.parse(stdout) as DoctorResult;
  const found = findings.find(({ name }) => name.startsWith('Connection'));
  assert.is(found?.state, 'ok');
  return found?.detail ?? '';
}

test('hx doctor says how the database is reached', async () => {
  const bench = await startMigratedBench();
  for (const [url, words] of [
    [bench.direct(DATABASE), /^ep-test-1234\.neon\.localhost:\d+, direct endpoint, TLS with verified/],
    [bench.pooled(DATABASE), /^ep-test-1234-pooler\.neon\.localhost:\d+, pooled endpoint, TLS with verified/],
  ] as const) {
    const detail = await connectionOf({ HX_ENV: 'development', DATABASE_URL_DEV: url });
    assert.match(detail, words);
    assert.match(detail, /round trip [\d.]+ ms$/);
  }
  const local = await createTestDatabase();
  assert.match(await connectionOf(local.variables), /^127\.0\.0\.1:\d+, direct endpoint, no TLS, round trip/);
  await local.drop();
});

test('a server of another major version than Neon is pointed out; the one of Docker is the same', () => {
  const link = { host: 'h', port: 1, pooled: false, tls: 'verified' } as const;
  assert.is(warningOf({ ...link, serverVersion: `${EXPECTED_MAJOR}.10` }), undefined);
  assert.match(
    warningOf({ ...link, serverVersion: '16.4 (Debian)' }) ?? '',
    /Postgres 16\.4 .* tested with 17/,
  );
  const compose = readFileSync(packagePath('docker', 'compose.yaml'), 'utf8');
  assert.match(compose, new RegExp(`image: postgres:${EXPECTED_MAJOR}\\b`));
});

test.run();
