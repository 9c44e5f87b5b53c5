import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HxError } from '../../src/base/errors.js';
import { applyMigrations } from '../../src/operational/schema/apply.js';
import { createTestDatabase, makeTestSettings, removeFolder } from '../helpers.js';
import { addTwoMigrations, outcome, resume, runAndKill } from './interrupted.js';
import { KillProxy } from './kill-proxy.js';
import { copyMigrations, migrateOptions } from './migrations.js';

/** A sample; npm run bench:migrate goes through all of them. */
const BOUNDARIES = 10;
const PAIRS = 3;
/** Connecting and what comes first: each message of it is lost once. */
const MESSAGES = 6;

const test = suite('interrupted migrations');
let folder: string;

test.before(() => {
  folder = copyMigrations();
  addTwoMigrations(folder);
});
test.after(() => removeFolder(folder));

test('killed at a boundary between statements, a migrator is resumed to the same end', async () => {
  const whole = await createTestDatabase();
  let sent = 0;
  let expected = '';
  try {
    ({ sent } = await runAndKill(whole, folder, 0, 'sent'));
    expected = await outcome(whole.sql);
  } finally {
    await whole.drop();
  }
  let killed = 0;
  for (let index = 0; index < BOUNDARIES; index += 1) {
    const strikeAt = Math.round(((index + 0.5) * sent) / BOUNDARIES);
    const database = await createTestDatabase();
    try {
      const run = await runAndKill(database, folder, strikeAt, index % 2 === 0 ? 'sent' : 'answered');
      if (run.killed) killed += 1;
      await resume(database, folder);
      assert.is(await outcome(database.sql), expected, `message ${strikeAt} of ${sent}`);
    } finally {
      await database.drop();
    }
  }
  assert.ok(killed >= BOUNDARIES - 1, `only ${killed} were killed in time`);
});

test('a connection that is lost at any message of a migrator ends it with an error of ours, and nothing else', async () => {
  // An unhandled failure of the driver would end this process.
  for (const moment of ['sent', 'answered'] as const) {
    for (let message = 1; message <= MESSAGES; message += 1) {
      const database = await createTestDatabase();
      const { proxy, url } = await KillProxy.start(database.url, message, moment, () => undefined);
      const settings = makeTestSettings({ DATABASE_URL: `${url}?connect_timeout=1` });
      try {
        await applyMigrations(migrateOptions({ settings }, folder));
        // The one connection that was lost while it was made was made again.
        assert.ok(message <= MESSAGES / 2, `message ${message}, ${moment}, changed nothing`);
      } catch (error) {
        assert.ok(error instanceof HxError, `message ${message}, ${moment}: ${error}`);
        assert.is(error.code, 'unavailable', error.message);
      } finally {
        await database.drop();
        await proxy.stop();
      }
    }
  }
});

test('two migrators at once apply each migration exactly once', async () => {
  for (let pair = 0; pair < PAIRS; pair += 1) {
    const database = await createTestDatabase();
    try {
      const results = await Promise.all([0, 1].map(() => applyMigrations(migrateOptions(database, folder))));
      assert.equal(
        results.flat().map(({ number }) => number),
        [9000, 9001],
      );
      const { times, migrations } = JSON.parse(await outcome(database.sql));
      assert.is(times, migrations);
    } finally {
      await database.drop();
    }
  }
});

test.run();
