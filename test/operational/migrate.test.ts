import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { applyMigrations, planMigrations } from '../../src/operational/schema/apply.js';
import { migrationsFolder, readMigrations, writeSum } from '../../src/operational/schema/files.js';
import { readLedger } from '../../src/operational/schema/ledger.js';
import type { MigrateOptions } from '../../src/operational/schema/migrator.js';
import { makePlan } from '../../src/operational/schema/plan.js';
import { connectTo } from '../database.js';
import { createTestDatabase, fails, makeTestSettings, removeFolder, type TestDatabase } from '../helpers.js';
import { addMigration, copyMigrations, migrateOptions } from './migrations.js';

const test = suite('migrations');
let database: TestDatabase;
let folder: string;

test.before.each(async () => {
  database = await createTestDatabase({ empty: true });
  folder = copyMigrations();
});
test.after.each(async () => {
  await database.drop();
  removeFolder(folder);
});

function options(changes: Partial<MigrateOptions> = {}): MigrateOptions {
  return { ...migrateOptions(database, folder), ...changes };
}

const add = (name: string, sql: string) => addMigration(folder, name, sql);

async function appliedNames(): Promise<string[]> {
  const rows = await database.sql<{ name: string }[]>`select name from hx.migration order by number`;
  return rows.map(({ name }) => name);
}

test('migrations.sum is that of the committed files', () => {
  assert.ok(readMigrations(migrationsFolder()).length > 0);
});

test('everything is applied once, and the database belongs to the environment from then on', async () => {
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .sort();
  const applied = await applyMigrations(options());
  assert.equal(
    applied.map(({ name }) => name),
    names,
  );
  assert.equal(await appliedNames(), names);
  assert.equal(await applyMigrations(options()), []);
  const [identity] = await database.sql`select env, binding = hx.binding() as bound from hx.identity`;
  assert.equal({ ...identity }, { env: 'local', bound: true });
});

test('--to stops there, and the rest stays pending', async () => {
  await applyMigrations(options({ to: 2 }));
  const { applied, pending } = await planMigrations(options());
  assert.equal(
    applied.map(({ number }) => number),
    [1, 2],
  );
  assert.is(pending[0]?.number, 3);
  await fails(planMigrations(options({ to: 9999 })), 'usage', /no migration 9999/);
});

test('two migrators at once apply everything exactly once between them', async () => {
  const results = await Promise.all([applyMigrations(options()), applyMigrations(options())]);
  const all = results.flat().map(({ name }) => name);
  assert.equal(all.sort(), await appliedNames());
});

test('who waits too long for the lock is told who holds it', async () => {
  const holder = connectTo(database.url);
  try {
    await holder`select set_config('application_name', 'somebody else', false), pg_advisory_lock(${0x6878}, ${0x6d67})`;
    await fails(
      applyMigrations(options({ lockTimeoutMs: 0 })),
      'unavailable',
      /holds the lock: somebody else/,
    );
  } finally {
    await holder.end();
  }
});

test('a failing migration leaves nothing of itself, keeps those before it and is written down', async () => {
  add('9000_broken.sql', '-- Breaks.\ncreate table half (id integer);\nselect missing_column;\n');
  await fails(applyMigrations(options()), 'failed', /^9000_broken\.sql, line 3: .*missing_column/);
  const [row] = await database.sql`select to_regclass('half') is null as gone,
    (select count(*)::integer from hx.migration) as applied,
    (select count(*)::integer from hx.migration_event where kind = 'failed' and number = 9000) as failures`;
  assert.equal({ ...row }, { gone: true, applied: readMigrations(migrationsFolder()).length, failures: 1 });
  writeFileSync(join(folder, '9000_broken.sql'), '-- Works.\ncreate table half (id integer);\n');
  writeSum(folder, true);
  assert.equal(
    (await applyMigrations(options())).map(({ number }) => number),
    [9000],
  );
});

test('a file that holds transaction control or cannot be parsed is refused before anything runs', async () => {
  for (const [words, sql] of [
    [
      /9000_control\.sql, line 3: transaction-control \(COMMIT\)/,
      '-- Ends.\ncreate table half ();\ncommit;\n',
    ],
    [/9000_control\.sql, line 3: transaction-control \(BEGIN\)/, '-- Begins.\n\nbegin; select 1;'],
    [/9000_control\.sql:2:1: syntax error at or near "selec"/, '-- Wrong.\nselec 1;'],
  ] as const) {
    add('9000_control.sql', sql);
    await fails(applyMigrations(options()), 'conflict', words);
  }
  const [row] = await database.sql`select to_regclass('hx.migration') is null as untouched`;
  assert.is(row?.['untouched'], true);
});

/** Ends the transaction where quoting is the old one, of which the reader of the files knows nothing. */
const HIDDEN_COMMIT = "select '\\'', ' as a, '; commit; select ' as b -- '";

test('a migration that ends its transaction unnoticed is found out, and the error tells what may have stayed', async () => {
  await applyMigrations(options());
  await database.sql.unsafe(
    `do $$ begin execute format('alter database %I set standard_conforming_strings = off', current_database()); end $$`,
  );
  for (const [rest, words] of [
    ['', /^9000_hidden\.sql ended its own transaction\.$/],
    [
      '; select missing_column',
      /^9000_hidden\.sql ended its own transaction\. Then it failed: .*missing_column/,
    ],
  ] as const) {
    await database.sql.unsafe('drop table if exists half');
    add('9000_hidden.sql', `-- Hides.\ncreate table half ();\n${HIDDEN_COMMIT}${rest};\n`);
    await fails(applyMigrations(options()), 'failed', words, /may have stayed/);
    const [row] = await database.sql`select to_regclass('half') is not null as stayed,
      (select count(*)::integer from hx.migration where number = 9000) as applied`;
    assert.equal({ ...row }, { stayed: true, applied: 0 });
  }
});

test('an applied file whose comments alone changed is told apart from one whose statements did', async () => {
  const files = () => readMigrations(folder);
  const name = '0002_accounts.sql';
  await applyMigrations(options());
  const known = await readLedger(database.sql);
  const original = readFileSync(join(folder, name), 'utf8');
  add(name, `-- hx: lock_timeout=1s\n${original.replaceAll(',\n', ' ,\n\n')}`);
  const plan = await makePlan(files(), known);
  assert.equal(plan.commentsChanged, [name]);
  assert.equal(plan.pending, []);
  add(name, original.replace('email text', 'email varchar'));
  await fails(makePlan(files(), known), 'conflict', /0002_accounts\.sql was edited/);
});

test('unsafe statements are noted on the local database and refused on the others, unless they are waived', async () => {
  await applyMigrations(options());
  const unsafe = 'drop table anonymous_usage;\n';
  add('9000_unsafe.sql', unsafe);
  const development = await createTestDatabase({ environment: 'development' });
  try {
    const settings = development.settings;
    await fails(
      applyMigrations(options({ settings })),
      'conflict',
      /9000_unsafe\.sql, line 1: drop-table \(anonymous_usage\)\. Its data is gone/,
      /Release code that does not use it first.*Nothing was applied to development/,
    );
    // Waived, it is stopped by nothing but that local has to come first, which cannot be reached here.
    add('9000_unsafe.sql', `-- hx: allow=drop-table reason=a test\n${unsafe}`);
    await fails(
      applyMigrations(options({ settings })),
      'unavailable',
      /takes only migrations that local has/,
    );
  } finally {
    await development.drop();
  }
  add('9000_unsafe.sql', unsafe);
  const notes: string[] = [];
  const emit: MigrateOptions['emit'] = (event) => {
    if (event.type === 'note') notes.push(event.message);
  };
  assert.is((await applyMigrations(options({ emit }))).length, 1);
  assert.equal(notes, ['9000_unsafe.sql, line 1: drop-table (anonymous_usage). See hx migrate lint.']);
});

test('an edited file is refused: by the sum, and by the database even when the sum was rewritten', async () => {
  await applyMigrations(options());
  const file = join(folder, '0002_accounts.sql');
  writeFileSync(file, `${readFileSync(file, 'utf8')}\nselect 'edited';\n`);
  await fails(planMigrations(options()), 'conflict', /0002_accounts\.sql was edited/, /new migration/);
  assert.throws(() => writeSum(folder, false), /was edited/);
  writeSum(folder, true);
  await fails(applyMigrations(options()), 'conflict', /edited after it was applied/, /Restore/);
});

test('a file before an applied one is refused', async () => {
  add('9000_later.sql', '-- Later.\nselect 1;\n');
  await applyMigrations(options());
  add('8000_earlier.sql', '-- Earlier.\nselect 1;\n');
  await fails(
    applyMigrations(options()),
    'conflict',
    /8000_earlier\.sql comes before 9000_later/,
    /next free number/,
  );
});

test('an applied migration whose file is gone or renamed is refused', async () => {
  await applyMigrations(options());
  renameSync(join(folder, '0005_payments.sql'), join(folder, '0005_money.sql'));
  writeSum(folder, true);
  await fails(planMigrations(options()), 'conflict', /0005_payments\.sql was applied.*0005_money\.sql/);
  rmSync(join(folder, '0005_money.sql'));
  writeSum(folder, true);
  await fails(planMigrations(options()), 'conflict', /no such file/);
});

test('a file that is not in the sum, one number twice and a name that is none are refused', async () => {
  writeFileSync(join(folder, '9000_new.sql'), 'select 1;');
  assert.throws(() => readMigrations(folder), /9000_new\.sql is not in migrations\.sum/);
  writeFileSync(join(folder, '9000_other.sql'), 'select 1;');
  assert.throws(() => writeSum(folder, true), /same number/);
  renameSync(join(folder, '9000_other.sql'), join(folder, 'other.sql'));
  assert.throws(() => writeSum(folder, true), /not a name/);
});

test('a table that another session holds is waited for, then the migration goes through', async () => {
  await applyMigrations(options());
  add('9000_alter.sql', '-- Waits.\nset local lock_timeout = 50;\nalter table users add column note text;\n');
  const notes: string[] = [];
  const reader = connectTo(database.url);
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const reading = reader.begin(async (sql) => {
    await sql`select from users`;
    await held;
  });
  try {
    const applied = await applyMigrations(
      options({
        emit: (event) => {
          if (event.type !== 'note') return;
          notes.push(event.message);
          release();
        },
      }),
    );
    assert.is(applied.length, 1);
    assert.match(notes[0] ?? '', /a table is locked/);
  } finally {
    release();
    await reading;
    await reader.end();
  }
});

test('another environment’s database is refused before anything runs', async () => {
  await applyMigrations(options({ to: 1 }));
  // The connection string of development leads to the local database.
  const settings = makeTestSettings({
    HX_ENV: 'development',
    DATABASE_URL_DEV: database.url,
    dataDir: folder,
  });
  await fails(applyMigrations(options({ settings })), 'refused', /for development, but .* the local one/);
  assert.equal(await appliedNames(), ['0001_identity.sql']);
});

test.run();
