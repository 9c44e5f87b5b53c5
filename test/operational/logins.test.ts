import { join } from 'node:path';
import type { Sql } from 'postgres';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DoctorResult } from '../../src/handlers/doctor.js';
import { connectTo, removeTestServer, startTestServer } from '../database.js';
import { makeTempFolder, runHx } from '../helpers.js';

/**
 * What each login may and what hx says to one that may not. The roles belong to the whole server, and the first
 * migration makes them; so this has one of its own, and its tests go on from each other.
 */
const test = suite('logins');
const dataDir = makeTempFolder();
let server: URL;
let admin: Sql;

test.before(async () => {
  const { url } = await startTestServer(dataDir);
  server = new URL(url ?? '');
  admin = connectTo(urlOf('postgres'));
});
test.after(async () => {
  await admin.end();
  await removeTestServer(dataDir);
});

function urlOf(database: string, login?: string): string {
  const url = new URL(server);
  url.pathname = `/${database}`;
  if (login !== undefined) url.username = login;
  return url.toString();
}

/** Makes a login with the server's password, and a database that it owns. */
async function makeLogin(login: string, rights = '', database?: string): Promise<void> {
  await admin.unsafe(`create role ${login} login ${rights} password '${server.password}'`);
  if (database !== undefined) await admin.unsafe(`create database ${database} owner ${login}`);
}

function hx(argv: string[], url: string, environment: 'local' | 'development' = 'local') {
  const setting = environment === 'local' ? 'DATABASE_URL' : 'DATABASE_URL_DEV';
  return runHx(argv, {
    env: { DATABASE_URL: url, HX_ENV: environment, [setting]: url, HX_DATA_DIR: join(dataDir, 'data') },
  });
}

/** Runs, as a login, the statement that a hint tells it to have run. */
async function follow(hint: RegExp, said: string, url: string): Promise<void> {
  const [, statement = ''] = hint.exec(said) ?? [];
  assert.is.not(statement, '', said);
  const sql = connectTo(url);
  await sql.unsafe(statement);
  await sql.end();
}

test('a login that may make no roles is told so, and once it may, the same command goes through', async () => {
  await makeLogin('plain', '', 'one');
  const refused = await hx(['migrate'], urlOf('one', 'plain'));
  assert.is(refused.exitCode, 1);
  assert.match(
    refused.stderr,
    /^hx: 0001_identity\.sql.*: The login plain may not make the role hx_owner\.\n.*ALTER ROLE plain CREATEROLE, and run hx migrate again\.\n$/,
  );
  const [left] = await admin`select count(*)::integer as roles from pg_roles where rolname like 'hx%'`;
  assert.is(left?.['roles'], 0);
  await follow(/(ALTER ROLE plain CREATEROLE)/, refused.stderr, urlOf('postgres'));
  const migrated = await hx(['migrate'], urlOf('one', 'plain'));
  assert.is(migrated.exitCode, 0, migrated.stderr);
});

test('a login that is no member of the roles that another made is told so, role by role, until it is', async () => {
  // Whether it may make roles itself does not matter: they are there.
  await makeLogin('other', 'createrole', 'two');
  const wanted = ['hx_owner', 'hx_migrate', 'hx_app', 'hx_export'];
  for (const role of wanted) {
    const { exitCode, stderr } = await hx(['migrate'], urlOf('two', 'other'));
    assert.is(exitCode, 1);
    assert.match(stderr, `The login other is not a member of the role ${role}, which another login made.`);
    await follow(/run (GRANT .*), and run hx migrate again/, stderr, urlOf('postgres', 'plain'));
  }
  const migrated = await hx(['migrate'], urlOf('two', 'other'));
  assert.is(migrated.exitCode, 0, migrated.stderr);
});

test('a login that is a member of no role gets one sentence with the grants, whatever it asks for', async () => {
  await makeLogin('"no-body"');
  const url = urlOf('one', 'no-body');
  for (const argv of [
    ['check', 'Water is wet', '--model', 'simulator/default'],
    ['migrate'],
    ['migrate', 'plan'],
    ['migrate', 'status'],
    ['migrate', 'verify', '--no-replay'],
    ['migrate', 'diff'],
    ['export', 'checks'],
    ['export', 'verify'],
    ['db', 'dump'],
    ['db', 'claim'],
    ['db', 'psql', '-c', 'select 1'],
  ]) {
    const { exitCode, stdout, stderr } = await hx(argv, url);
    const what = `${argv.join(' ')}: ${stderr}`;
    assert.is(exitCode, 1, what);
    assert.is(stdout, '', what);
    assert.match(
      stderr,
      /^hx: The login no-body has no right to anything of hx in that database\.\n.*GRANT hx_app, hx_export TO "no-body"; and for hx migrate and hx db: GRANT hx_migrate TO "no-body";\n$/,
      what,
    );
  }
});

test('a login of the application checks and exports, and cannot migrate or dump', async () => {
  await makeLogin('service', 'in role hx_app, hx_export');
  const url = urlOf('one', 'service');
  const checked = await hx(['check', 'Water is wet', '--model', 'simulator/default', '--json'], url);
  assert.is(JSON.parse(checked.stdout).env, 'local', checked.stderr);
  const exported = await hx(['export', 'checks'], url);
  assert.is(exported.exitCode, 0, exported.stderr);
  for (const argv of [['migrate'], ['migrate', 'status'], ['migrate', 'plan'], ['migrate', 'repair']]) {
    const { exitCode, stderr } = await hx(argv, url);
    assert.is(exitCode, 1);
    assert.match(
      stderr,
      /^hx: The login service may not act as the role hx_migrate\.\n.*GRANT hx_migrate TO service;\n$/,
    );
  }
  const dumped = await hx(['db', 'dump'], url);
  assert.is(dumped.exitCode, 1);
  assert.match(
    dumped.stderr,
    /The login service may not act as the role hx_owner\.\n.*GRANT hx_migrate TO service;/,
  );
});

test('a login of migrations migrates and dumps; for a replay it must be let make databases', async () => {
  await makeLogin('migrator', 'in role hx_migrate');
  const url = urlOf('one', 'migrator');
  for (const argv of [
    ['migrate'],
    ['migrate', 'status'],
    ['migrate', 'verify', '--no-replay'],
    ['db', 'dump'],
  ]) {
    const { exitCode, stderr } = await hx(argv, url);
    assert.is(exitCode, 0, `${argv.join(' ')}: ${stderr}`);
  }
  const { exitCode, stderr } = await hx(['migrate', 'diff'], url);
  assert.is(exitCode, 1);
  assert.match(
    stderr,
    /replayed in a database of their own, and the login migrator may make none\.\n.*ALTER ROLE migrator CREATEDB;/,
  );
});

interface Shown {
  readonly state: string;
  readonly detail: string;
  readonly fix: string | null;
}

async function guardsOf(url: string, environment: 'local' | 'development' = 'local'): Promise<Shown[]> {
  const { exitCode, stdout, stderr } = await hx(['doctor', '--json'], url, environment);
  assert.is(exitCode, 0, stdout + stderr);
  const { findings } = JSON.parse(stdout) as DoctorResult;
  return findings
    .filter(({ name }) => name.startsWith('Guards'))
    .map(({ state, detail, fix }) => ({ state, detail, fix }));
}

const FINE = {
  state: 'ok',
  detail: 'roles, owners and guards are as the last migration left them',
  fix: null,
};

test('hx doctor names a login that could switch its own guards off, and is content with separate ones', async () => {
  assert.equal(await guardsOf(urlOf('one', 'service')), [FINE], 'administrators are others');
  assert.equal(await guardsOf(urlOf('one')), [FINE], "the superuser of one's own server");
  const [fine, note, ...more] = await guardsOf(urlOf('one', 'plain'));
  assert.equal([fine, more], [FINE, []]);
  assert.is(note?.state, 'missing');
  assert.match(
    note?.detail ?? '',
    /^login plain: it may act as hx_app and as hx_owner, so whoever has its password/,
  );
  assert.match(note?.fix ?? '', /^Keep it for hx migrate and hx db; .* in role hx_app, hx_export;$/);
  await makeLogin('"both"', 'in role hx_app, hx_migrate');
  const [, other, ...none] = await guardsOf(urlOf('one', 'service'));
  assert.equal(none, []);
  assert.match(other?.detail ?? '', /^login both: it may act as/);
  await follow(/^(revoke [^;]*);/, other?.fix ?? '', urlOf('postgres'));
  assert.equal(await guardsOf(urlOf('one', 'service')), [FINE], 'its fix mends it');
  await admin.unsafe('drop role "both"');
});

test('a superuser who serves another environment than local is named', async () => {
  const [claimed] = await admin`create database three template one`.then(() => [true]);
  assert.ok(claimed);
  const made = await hx(['db', 'claim', '--env', 'development'], urlOf('three'), 'development');
  assert.is(made.exitCode, 0, made.stderr);
  const [, note] = await guardsOf(urlOf('three'), 'development');
  assert.is(note?.state, 'missing');
  assert.match(note?.detail ?? '', /^login postgres: it is a superuser, whom no guard holds up$/);
});

test('hx doctor says of applied files that were edited since what hx migrate says', async () => {
  const migrations = async () => {
    const { stdout } = await hx(['doctor', '--json'], urlOf('one'));
    const { findings } = JSON.parse(stdout) as DoctorResult;
    return findings
      .filter(({ name }) => name.startsWith('Migrations'))
      .map(({ state, detail, fix }) => ({ state, detail, fix }));
  };
  const [fine] = await migrations();
  assert.match(`${fine?.state} ${fine?.detail}`, /^ok \d+ applied, none pending, each as its file says$/);
  const sql = connectTo(urlOf('one'));
  const [before] = await sql`select hash, semantic_hash from hx.migration where number = 3`;
  await sql`update hx.migration set hash = repeat('0', 64), semantic_hash = repeat('1', 64) where number = 3`;
  try {
    const [edited, ...more] = await migrations();
    assert.equal(more, []);
    assert.is(edited?.state, 'missing');
    assert.match(edited?.detail ?? '', /^0003_checks\.sql was edited after it was applied$/);
    assert.match(edited?.fix ?? '', /^Restore it/);
    const refused = await hx(['migrate'], urlOf('one'));
    assert.match(refused.stderr, edited?.detail ?? '');
  } finally {
    await sql`update hx.migration set ${sql(before ?? {}, 'hash', 'semantic_hash')} where number = 3`;
    await sql.end();
  }
});

test.run();
