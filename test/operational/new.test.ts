import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readMigrationFiles, readMigrations, writeSum } from '../../src/operational/schema/files.js';
import { lintMigration } from '../../src/operational/schema/lint/lint.js';
import { createMigration } from '../../src/operational/schema/new.js';
import { fails, makeTempFolder, removeFolder } from '../helpers.js';

const test = suite('a new migration');
let folder: string;
test.before.each(() => {
  folder = makeTempFolder();
});
test.after.each(() => removeFolder(folder));

const { signal } = new AbortController();

test('it gets the next number and a skeleton that lint accepts, and is refused until it is written down', async () => {
  writeFileSync(join(folder, '0041_old.sql'), 'select 1;');
  writeSum(folder, false);
  const made = await createMigration(folder, 'add_notes', 'tx', signal);
  assert.equal(made, { number: 42, name: '0042_add_notes.sql', file: join(folder, '0042_add_notes.sql') });
  const steps = await createMigration(folder, 'index_notes', 'steps', signal);
  assert.is(steps.name, '0043_index_notes.sql');
  assert.equal(readdirSync(folder).sort(), [
    '0041_old.sql',
    '0042_add_notes.sql',
    '0043_index_notes.sql',
    'migrations.sum',
  ]);
  const files = readMigrationFiles(folder);
  assert.equal(
    files.map(({ mode }) => mode),
    ['tx', 'tx', 'steps'],
  );
  for (const file of files) assert.equal(await lintMigration(file), []);
  assert.throws(() => readMigrations(folder), /0042_add_notes\.sql is not in migrations\.sum/);
  writeSum(folder, false);
  assert.is(readMigrations(folder).length, 3);
});

test('its examples are themselves safe', async () => {
  for (const mode of ['tx', 'steps'] as const) {
    const { file } = await createMigration(folder, 'example', mode, signal);
    const examples = readFileSync(file, 'utf8').split('\n').slice(3).join('\n').replaceAll(/^-- /gm, '');
    const sql = examples.slice(examples.indexOf('\ncreate'));
    assert.match(sql, /create/);
    assert.equal(await lintMigration({ name: 'example.sql', sql, mode, waivers: [] }), []);
  }
});

test('many at once get a number each', async () => {
  const made = await Promise.all(
    Array.from({ length: 8 }, () => createMigration(folder, 'same', 'tx', signal)),
  );
  assert.equal(made.map(({ number }) => number).sort(), [1, 2, 3, 4, 5, 6, 7, 8]);
  assert.is(readdirSync(folder).length, 8);
});

test('a reservation that a killed run left behind is waited out; a fresh one is respected', async () => {
  const reservation = join(folder, '.new-migration');
  writeFileSync(reservation, '');
  const controller = new AbortController();
  const waiting = createMigration(folder, 'late', 'tx', controller.signal);
  controller.abort();
  await waiting.then(
    () => assert.unreachable('it did not wait'),
    () => undefined,
  );
  assert.equal(readdirSync(folder), ['.new-migration']);
  utimesSync(reservation, 1, 1);
  assert.is((await createMigration(folder, 'late', 'tx', signal)).name, '0001_late.sql');
  assert.equal(readdirSync(folder), ['0001_late.sql']);
});

test('bad names, an installed package and a folder that is none are refused', async () => {
  for (const name of ['', 'Add', 'add notes', '../add', 'add__notes', '1_add', 'add.sql', 'a'.repeat(61)]) {
    await fails(
      createMigration(folder, name, 'tx', signal),
      'usage',
      /is not a name/,
      /hx migrate new add_notes/,
    );
  }
  const installed = join(folder, 'node_modules', 'hx', 'migrations');
  mkdirSync(installed, { recursive: true });
  await fails(createMigration(installed, 'add', 'tx', signal), 'configuration', /as a package/, /checkout/);
  assert.equal(readdirSync(installed), []);
  await fails(
    createMigration(join(folder, 'none'), 'add', 'tx', signal),
    'configuration',
    /ENOENT/,
    /checkout/,
  );
});

test.run();
