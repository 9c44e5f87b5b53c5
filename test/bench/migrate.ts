// Times hx migrate, and proves that two at once and runs that were killed end in the same schema.
// npm run bench:migrate -- PAIRS BOUNDARIES SERVER_KILLS; by default 200 pairs, every boundary and 100 kills.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HxError } from '../../src/base/errors.js';
import { sleep } from '../../src/base/time.js';
import { applyMigrations, planRun } from '../../src/operational/schema/apply.js';
import { migrationNames } from '../../src/operational/schema/files.js';
import type { LocalServer } from '../../src/operational/server/local.js';
import { Prng } from '../../src/rpl/prng.js';
import { connectTo, removeTestServer, startTestServer } from '../database.js';
import {
  createTestDatabase,
  makeTempFolder,
  makeTestSettings,
  removeFolder,
  type TestDatabase,
} from '../helpers.js';
import { addTwoMigrations, outcome, resume, runAndKill } from '../operational/interrupted.js';
import { addMigration, copyMigrations, migrateOptions } from '../operational/migrations.js';
import { compareProcesses, type Figure, median, printFigures, timeMs } from './measure.js';

const BIN = join(fileURLToPath(new URL('../../', import.meta.url)), 'bin', 'hx.js');
const [pairs = 200, boundaries = Number.POSITIVE_INFINITY, serverKills = 100] = process.argv
  .slice(2)
  .map(Number);

/** As many as the limit on plan and apply is about. */
const MIGRATIONS = 12;

const folder = copyMigrations();
for (let number = migrationNames(folder).length + 1; number <= MIGRATIONS - 2; number += 1) {
  const name = `notes_${number}`;
  addMigration(
    folder,
    `80${String(number).padStart(2, '0')}_${name}.sql`,
    `create table ${name} (env text not null, id uuid primary key);\nselect hx.guard_table('${name}');\n`,
  );
}
addTwoMigrations(folder);
const failures: string[] = [];
const check = (holds: boolean, what: string) => void (holds || failures.push(what));
const say = (text: string) => void process.stdout.write(`${text}\n`);

async function withEmpty<T>(work: (database: TestDatabase) => Promise<T>): Promise<T> {
  const database = await createTestDatabase({ empty: true });
  try {
    return await work(database);
  } finally {
    await database.drop();
  }
}

async function planAndApply(): Promise<Figure> {
  const times: number[] = [];
  let migrations = 0;
  for (let run = 0; run < 7; run += 1) {
    await withEmpty(async (database) => {
      const [ms = 0] = await timeMs(
        async () => {
          await planRun(migrateOptions(database, folder));
          migrations = (await applyMigrations(migrateOptions(database, folder))).length;
        },
        { runs: 1, warmUp: 0 },
      );
      times.push(ms);
    });
  }
  const detail = `${migrations} migrations, one in steps, on an empty local database; worst of 7: ${Math.max(...times).toFixed(0)} ms`;
  return { name: 'plan and apply', value: median(times) / 1_000, unit: 's', limit: 1, detail };
}

async function nothingToDo(): Promise<Figure> {
  const database = await createTestDatabase();
  const command = ['env', `DATABASE_URL=${database.url}`, process.execPath, BIN, 'migrate'];
  const { ms, baselineMs, ratio } = compareProcesses(command, [process.execPath, '-e', '0'], 15);
  await database.drop();
  const detail = `${ratio.toFixed(1)} x the ${baselineMs.toFixed(0)} ms of node -e 0, 15 pairs`;
  return { name: 'hx migrate with nothing to do', value: ms / 1_000, unit: 's', limit: 0.35, detail };
}

async function twoAtOnce(expected: string): Promise<void> {
  for (let pair = 0; pair < pairs; pair += 1) {
    await withEmpty(async (database) => {
      await Promise.all([0, 1].map(() => applyMigrations(migrateOptions(database, folder))));
      check((await outcome(database.sql)) === expected, `pair ${pair}`);
    });
  }
  say(`two migrators at once: ${pairs} pairs, ${failures.length} without each migration exactly once`);
}

async function killMigrators(expected: string): Promise<void> {
  const sent = await withEmpty(async (database) => (await runAndKill(database, folder, 0, 'sent')).sent);
  const count = Math.min(sent, boundaries);
  const earlier = failures.length;
  let killed = 0;
  for (let index = 0; index < count; index += 1) {
    const strikeAt = 1 + Math.floor((index * sent) / count);
    for (const moment of ['sent', 'answered'] as const) {
      await withEmpty(async (database) => {
        if ((await runAndKill(database, folder, strikeAt, moment)).killed) killed += 1;
        await resume(database, folder);
        check(
          (await outcome(database.sql)) === expected,
          `migrator killed at message ${strikeAt}, ${moment}`,
        );
      });
    }
  }
  say(
    `migrator killed at ${count} of ${sent} messages, before and after the answer: ${killed} kills, ${failures.length - earlier} not resumed`,
  );
}

function urlOf({ url }: LocalServer, name: string): string {
  return (url ?? '').replace(/\/[^/]*$/, `/${name}`);
}

async function createDatabase(server: LocalServer, name: string): Promise<void> {
  const admin = connectTo(urlOf(server, 'postgres'));
  await admin.unsafe(`create database ${name} template template0`);
  await admin.end();
}

/** How long a run takes on that server right now, so that every part of it gets its kills. */
async function wholeRunMs(dataDir: string): Promise<number> {
  const server = await startTestServer(dataDir);
  await createDatabase(server, 'whole');
  const settings = makeTestSettings({ DATABASE_URL: urlOf(server, 'whole'), dataDir });
  const startedMs = performance.now();
  await applyMigrations(migrateOptions({ settings }, folder));
  return performance.now() - startedMs;
}

async function killServers(expected: string): Promise<void> {
  // Each start of a server adds what ends it with us.
  process.setMaxListeners(0);
  const dataDir = makeTempFolder();
  const prng = new Prng(3n);
  const earlier = failures.length;
  let broken = 0;
  try {
    const spanMs = await wholeRunMs(dataDir);
    for (let kill = 0; kill < serverKills; kill += 1) {
      const server = await startTestServer(dataDir);
      await createDatabase(server, `kill_${kill}`);
      const settingsOn = (it: LocalServer) =>
        makeTestSettings({ DATABASE_URL: urlOf(it, `kill_${kill}`), dataDir });
      const run = applyMigrations(migrateOptions({ settings: settingsOn(server) }, folder)).then(
        () => undefined,
        (error: unknown) => error,
      );
      await sleep(prng.uniform() * spanMs);
      if (server.pid !== null) process.kill(server.pid, 'SIGKILL');
      const error = await run;
      if (error !== undefined) broken += 1;
      check(error === undefined || error instanceof HxError, `server kill ${kill}: ${error}`);
      // Children of the dead server may hold its port for a while, so it may come up on another.
      const again = await startTestServer(dataDir);
      await applyMigrations(migrateOptions({ settings: settingsOn(again) }, folder));
      const sql = connectTo(urlOf(again, `kill_${kill}`));
      check((await outcome(sql)) === expected, `server killed, ${kill}`);
      await sql.end();
    }
  } finally {
    await removeTestServer(dataDir);
    removeFolder(dataDir);
  }
  say(
    `server killed at ${serverKills} random points: ${broken} runs broken off, ${failures.length - earlier} not resumed`,
  );
  check(broken >= serverKills / 4, `of ${serverKills} server kills only ${broken} fell into a run`);
}

const planned = await planAndApply();
const figures = [planned, await nothingToDo()];
printFigures(figures);
const expected = await withEmpty(async (database) => {
  await resume(database, folder);
  return outcome(database.sql);
});
await twoAtOnce(expected);
await killMigrators(expected);
await killServers(expected);
removeFolder(folder);
for (const failure of failures) say(`FAILED: ${failure}`);
if (failures.length > 0 || figures.some(({ value, limit }) => value > limit)) process.exitCode = 1;
