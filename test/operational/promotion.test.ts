import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ENVIRONMENTS, type Environment } from '../../src/base/environments.js';
import { applyMigrations, planRun } from '../../src/operational/schema/apply.js';
import { replayFingerprint } from '../../src/operational/schema/fingerprint/sources.js';
import { readLedger } from '../../src/operational/schema/ledger.js';
import type { MigrateOptions } from '../../src/operational/schema/migrator.js';
import {
  createTestDatabase,
  fails,
  makeTestSettings,
  removeFolder,
  runHx,
  type TestDatabase,
} from '../helpers.js';
import { addMigration, copyMigrations, migrateOptions } from './migrations.js';

const test = suite('promotion of migrations');
let databases: Record<Environment, TestDatabase>;
let folder: string;
let variables: Record<string, string>;

test.before(async () => {
  databases = {
    local: await createTestDatabase({ empty: true }),
    development: await createTestDatabase({ environment: 'development', empty: true }),
    production: await createTestDatabase({ environment: 'production', empty: true }),
  };
  variables = Object.assign({}, ...Object.values(databases).map((database) => database.variables));
});
test.after(async () => {
  for (const database of Object.values(databases)) await database.drop();
});
test.before.each(() => {
  folder = copyMigrations();
});
test.after.each(() => removeFolder(folder));

function options(environment: Environment, changes: Partial<MigrateOptions> = {}): MigrateOptions {
  const settings = makeTestSettings({ ...variables, HX_ENV: environment });
  return { ...migrateOptions({ settings }, folder), replay: replayFingerprint, ...changes };
}

async function planHashOf(environment: Environment): Promise<string> {
  const { planHash } = await planRun(options(environment));
  if (planHash === null) throw new Error(`nothing is pending on ${environment}`);
  return planHash;
}

test('migrations go from local over development to production, and leave the same schema and the same plan', async () => {
  await fails(
    applyMigrations(options('development')),
    'conflict',
    /development takes only migrations that local has applied\. It has not applied 0001_identity\.sql/,
    /^hx migrate$/,
  );
  const hash = await planHashOf('production');
  assert.is(await planHashOf('local'), hash);
  const applied = await applyMigrations(options('local'));
  await fails(
    applyMigrations(options('production', { confirm: hash.slice(0, 8) })),
    'conflict',
    /production takes only .* development has applied/,
    /^hx migrate --env development$/,
  );
  await applyMigrations(options('development'));
  const { blocker, source } = await planRun(options('production'));
  assert.is(blocker, undefined);
  assert.is(source, 'development');
  await applyMigrations(options('production', { confirm: hash.slice(0, 8) }));
  const ledgers = await Promise.all(
    Object.values(databases).map(async ({ sql }) =>
      (await readLedger(sql)).map(({ appliedAt: _at, elapsedMs: _ms, ...entry }) => entry),
    ),
  );
  assert.is(ledgers[0]?.length, applied.length);
  assert.equal(ledgers[1], ledgers[0]);
  assert.equal(ledgers[2], ledgers[0]);
  assert.is(ledgers[2]?.[0]?.planHash, hash);
});

test('production needs the beginning of its plan, and a wrong one shows the plan', async () => {
  assert.equal(await applyMigrations(options('production')), []);
  addMigration(folder, '9000_tags.sql', "create table tags (env text);\nselect hx.guard_table('tags');\n");
  await applyMigrations(options('local'));
  await applyMigrations(options('development'));
  const hash = await planHashOf('production');
  for (const confirm of [undefined, hash.slice(0, 7), '0123456789', '']) {
    await fails(
      applyMigrations(options('production', { confirm })),
      'usage',
      new RegExp(`Plan ${hash.slice(0, 8)} applies 9000_tags\\.sql to production`),
      new RegExp(`--confirm ${hash.slice(0, 8)}`),
    );
  }
  addMigration(
    folder,
    '9000_tags.sql',
    "-- A comment.\ncreate table tags (env text);\nselect hx.guard_table('tags');\n",
  );
  assert.is(await planHashOf('production'), hash);
  assert.is((await applyMigrations(options('production', { confirm: hash }))).length, 1);
});

test('what was changed by hand in the target stops the run before it starts, by name', async () => {
  addMigration(folder, '9000_tags.sql', "create table tags (env text);\nselect hx.guard_table('tags');\n");
  addMigration(folder, '9001_labels.sql', 'alter table tags add column label text;');
  await applyMigrations(options('local'));
  const { sql } = databases.development;
  await sql`create index by_hand on checks (model)`;
  try {
    const plan = await planRun(options('development'));
    assert.match(plan.blocker?.message ?? '', /extra index by_hand/);
    await fails(
      applyMigrations(options('development')),
      'refused',
      /schema of development is not the one on which local applied 9001_labels\.sql\. extra index by_hand\.$/,
      /Nothing was applied.*hx migrate diff --env development --against local/,
    );
    assert.is((await readLedger(sql)).at(-1)?.number, 9000);
  } finally {
    await sql`drop index by_hand`;
  }
  await applyMigrations(options('development'));
});

test('a migration that leaves another schema than in the source is rolled back, with the difference named', async () => {
  addMigration(folder, '9000_tags.sql', "create table tags (env text);\nselect hx.guard_table('tags');\n");
  addMigration(folder, '9001_labels.sql', 'alter table tags add column label text;');
  addMigration(
    folder,
    '9002_depends.sql',
    `-- hx: allow=hidden-in-do-block reason=a test
    do $$ begin
      if (select env from hx.identity) = 'local' then create table depends (id bigint);
      else create table depends (id bigint, more text); end if;
      perform hx.guard_table('depends');
    end $$;`,
  );
  await applyMigrations(options('local'));
  const { sql } = databases.development;
  await fails(
    applyMigrations(options('development')),
    'refused',
    /9002_depends\.sql left another schema in development than in local\. .*column depends\.more/,
    /rolled back/,
  );
  const [row] = await sql`select to_regclass('depends') is null as gone`;
  assert.is(row?.['gone'], true);
  await databases.local.sql`drop table depends`;
  await databases.local.sql`delete from hx.migration where number = 9002`;
});

test('other statements under the same number are not what was proven', async () => {
  addMigration(folder, '9000_tags.sql', "create table tags (env text);\nselect hx.guard_table('tags');\n");
  addMigration(folder, '9001_labels.sql', 'alter table tags add column label text;');
  addMigration(folder, '9003_more.sql', 'alter table tags add column more text;');
  await applyMigrations(options('local'));
  addMigration(folder, '9003_more.sql', 'alter table tags add column more bigint;');
  await fails(
    applyMigrations(options('development')),
    'conflict',
    /local applied 9003_more\.sql with other statements/,
  );
});

test('without its source an environment is not migrated', async () => {
  const empty = await createTestDatabase({ environment: 'production', empty: true });
  try {
    const env = { [ENVIRONMENTS.production.urlSetting]: empty.url };
    const plan = await runHx(['migrate', 'plan', '--env', 'production', '--json'], { env });
    assert.is(plan.exitCode, 1);
    const { planHash, blocker } = JSON.parse(plan.stdout);
    assert.match(
      blocker.message,
      /takes only migrations that development has applied\. DATABASE_URL_DEV is not set/,
    );
    const run = await runHx(['migrate', '--env', 'production', '--confirm', planHash], { env });
    assert.is(run.exitCode, 2);
    assert.match(run.stderr, /DATABASE_URL_DEV is not set[\s\S]*Set DATABASE_URL_DEV/);
    const unconfirmed = await runHx(['migrate', '--env', 'production'], { env });
    assert.is(unconfirmed.exitCode, 2);
    assert.match(unconfirmed.stderr, new RegExp(`--confirm ${planHash.slice(0, 8)}`));
    const [row] = await empty.sql`select to_regclass('hx.identity') is null as untouched`;
    assert.is(row?.['untouched'], true);
  } finally {
    await empty.drop();
  }
});

test.run();
