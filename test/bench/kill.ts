// Kills a research sweep with SIGKILL at random moments, over and over, and proves afterwards that nothing that was
// stored is lost or counted twice. `npm run bench:kill -- 1000` kills a thousand times.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { sleep } from '../../src/base/time.js';
import { Prng } from '../../src/rpl/prng.js';
import { makeTempFolder, runHx } from '../helpers.js';
import { startModelServer } from '../models/server.js';

const BIN = join(fileURLToPath(new URL('../../', import.meta.url)), 'bin', 'hx.js');
const CONCURRENCY = 8;
/** How long a process may live after its first call: long enough for a few claims. */
const LONGEST_LIFE_MS = 400;
/** One kill in so many falls while the process starts, before any call. */
const EARLY_KILL_EVERY = 4;
/** A process that has not called by then is killed where it is. */
const LONGEST_START_MS = 10_000;

const kills = Number(process.argv[2] ?? 100);
const folder = makeTempFolder();
const claimsFile = join(folder, 'claims.jsonl');
const claims = Array.from({ length: kills * 40 }, (_, index) => `Claim number ${index}`);
writeFileSync(claimsFile, claims.map((claim) => JSON.stringify({ claim })).join('\n'));

const server = await startModelServer({ latencyMs: 20 });
const env = {
  HX_DATA_DIR: join(folder, 'data'),
  HX_COMPATIBLE_BASE_URL: server.baseUrl,
  PATH: process.env['PATH'],
};
const size = ['-K', '8', '-R', '1', '-T', '8', '-B', '200', '--concurrency', String(CONCURRENCY)];
const sweep = ['research', '--claims', claimsFile, '--model', 'compatible/test-model', ...size];

function count(sql: string): number {
  if (!existsSync(join(folder, 'data', 'research.sqlite'))) return 0;
  const sqlite = new Database(join(folder, 'data', 'research.sqlite'), { readonly: true });
  try {
    const made = sqlite.prepare("select 1 from sqlite_master where name = 'attempts'").get() !== undefined;
    return made ? Number(sqlite.prepare(sql).pluck().get()) : 0;
  } finally {
    sqlite.close();
  }
}

const failures: string[] = [];
const check = (holds: boolean, what: string) => {
  if (!holds) failures.push(what);
};

const prng = new Prng(2n);
const started = performance.now();
let storedBefore = 0;
for (let kill = 0; kill < kills; kill += 1) {
  const child = spawn(process.execPath, [BIN, ...sweep], { env, stdio: 'ignore' });
  const exited = once(child, 'exit');
  if (kill % EARLY_KILL_EVERY > 0) {
    const callsBefore = server.calls.length;
    const spawnedMs = performance.now();
    while (server.calls.length === callsBefore && performance.now() - spawnedMs < LONGEST_START_MS)
      await sleep(5);
  }
  await sleep(prng.uniform() * LONGEST_LIFE_MS);
  child.kill('SIGKILL');
  await exited;
  const stored = count('select count(*) from attempts');
  check(stored >= storedBefore, `kill ${kill}: ${storedBefore} attempts became ${stored}`);
  storedBefore = stored;
}

const lost = server.calls.length - storedBefore;
check(lost <= kills * CONCURRENCY, `${lost} calls lost, more than were in flight`);
const doubled = count(
  `select count(*) from (select sample_key from attempts where status in ('valid', 'repaired')
   group by sample_key having count(*) > 1)`,
);
check(doubled === 0, `${doubled} samples were paid for twice`);

// The last claim that was begun is carried on to its end; every finished run rests on each sample once.
const finished = count('select count(*) from runs');
const last = claims[finished] ?? 'Claim number 0';
await runHx(['research', last, ...sweep.slice(3)], { env, folder });
check(
  count('select count(*) from runs where n_usable <> n_samples or calls_made < n_samples') === 0,
  'incomplete runs',
);
check(
  count(
    `select count(*) from (select runs.run_id from runs
     join executions using (run_id) join execution_samples using (execution_id)
     where executions.outcome = 'finished' group by 1 having count(*) <> 8)`,
  ) === 0,
  'runs that rest on other than 8 samples',
);
const query = await runHx(
  ['query', 'select count(*), count(distinct run_id) from research_runs', '--format', 'csv'],
  { env, folder },
);
const runs = count('select count(*) from runs');
check(query.stdout.includes(`${runs},${runs}`), `the lake holds ${query.stdout.trim()}, the store ${runs}`);
await server.close();

const seconds = ((performance.now() - started) / 1_000).toFixed(0);
process.stdout.write(
  `${kills} kills in ${seconds} s: ${storedBefore} attempts stored, ${lost} calls lost in flight ` +
    `(at most ${kills * CONCURRENCY}), ${doubled} paid twice, ${runs} runs finished\n`,
);
for (const failure of failures) process.stdout.write(`FAILED: ${failure}\n`);
if (failures.length > 0) process.exitCode = 1;
