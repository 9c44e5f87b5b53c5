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

test('hx doctor names each role, owner and guard that is not as it should be, with its fix', async () => {
  const local = await createTestDatabase();
  const guards = async () => {
    const { stdout } = await runHx(['doctor', '--json'], { env: local.variables });
    const { findings } = JSON.parse(stdout) as DoctorResult;
    return findings
      .filter(({ name }) => name.startsWith('Guards'))
      .map(({ detail, fix }) => [detail.replace(/\d{4}_\w+\.sql/, 'the last migration'), fix]);
  };
  try {
    assert.equal(await guards(), [['roles, owners and guards are as the last migration left them', null]]);
    await local.sql.unsafe('alter table users drop constraint users_plan_check');
    assert.match(String(await guards()), /no longer as .* left it,hx migrate diff/);
    await local.sql.unsafe(
      `alter role hx_app login; grant hx_owner to hx_app; alter role hx_export createrole;
       revoke hx_owner from hx_migrate; alter table users disable trigger hx_guard_insert;
       drop trigger hx_guard_identity on hx.identity; drop trigger hx_guard_delete on checks`,
    );
    await local.sql.unsafe('alter function hx.guard_row() owner to current_user');
    assert.equal(await guards(), [
      [
        'role hx_migrate: it may not act as hx_owner',
        'grant hx_owner to hx_migrate with set true, inherit false;',
      ],
      [
        'role hx_app: it may log in, so nobody can tell who acts',
        'alter role hx_app nologin; and a login of its own: create role ... login in role hx_app;',
      ],
      ['role hx_app: it may act as hx_owner', 'revoke hx_owner from hx_app;'],
      [
        'role hx_export: it may do what no guard holds for',
        'alter role hx_export nosuperuser nocreaterole nocreatedb noreplication nobypassrls;',
      ],
      [
        'trigger users.hx_guard_insert: a guard does not always fire',
        'alter table users enable always trigger hx_guard_insert;',
      ],
      [
        'function hx.guard_row(): it is not owned by hx_owner',
        'alter function hx.guard_row() owner to hx_owner;',
      ],
      ['table checks: the table has no guard', "select hx.guard_table('checks'); in a new migration"],
      [
        'table hx.identity: the identity has no guard',
        'Make the trigger hx_guard_identity again, as migrations/0001_identity.sql does.',
      ],
      ['the schema is no longer as the last migration left it', 'hx migrate diff names what differs'],
    ]);
    await local.sql.unsafe(`select hx.guard_table('checks')`);
    const left = String(await guards());
    assert.not.match(left, 'the table has no guard', 'the fix of a finding mends it');
    assert.not.match(left, 'trigger checks.');
  } finally {
    await local.sql.unsafe(
      `alter role hx_app nologin; revoke hx_owner from hx_app; alter role hx_export nocreaterole;
       grant hx_owner to hx_migrate with set true, inherit false`,
    );
    await local.drop();
  }
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
