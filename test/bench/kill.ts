// Kills two research sweeps, one of a given size and one to a wanted width, with SIGKILL at random moments, over and
// over, and proves afterwards that nothing that was stored is lost or counted twice. `npm run bench:kill -- 1000` kills a thousand times.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
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
/**
 * How long a process may live after its first call, in the time that it took to get there: long enough for a few claims,
 * also on a machine that is busy with other work.
 */
const LONGEST_LIFE_STARTS = 1.5;
/** One kill in so many falls while the process starts, before any call. */
const EARLY_KILL_EVERY = 4;
/** A process that has not called by then is killed where it is. */
const LONGEST_START_MS = 30_000;

/** After so many kills the sweeps get new claims: a restart walks all that are finished, and should not come to be that alone. */
const KILLS_A_FILE = 50;
/** More than a process measures in all its lives. */
const CLAIMS_A_KILL = 20;

/** Answers scatter by this much around a half, so that the wanted width always calls for a second stage. */
const SCATTER = 0.4;

const kills = Number(process.argv[2] ?? 100);
const folder = makeTempFolder();

/** A sweep that is killed over and over. */
interface Sweep {
  readonly claims: readonly string[];
  readonly options: readonly string[];
  readonly argv: readonly string[];
}

function makeSweep(name: string, size: readonly string[]): Sweep {
  const length = KILLS_A_FILE * CLAIMS_A_KILL;
  const claims = Array.from({ length }, (_, index) => `${name} claim ${index}`);
  const file = join(folder, `${name}.jsonl`);
  writeFileSync(file, claims.map((claim) => JSON.stringify({ claim })).join('\n'));
  const common = ['--model', 'compatible/test-model', '-R', '1', '--concurrency', String(CONCURRENCY)];
  const options = [...common, ...size];
  return { claims, options, argv: ['research', '--claims', file, ...options] };
}

const FIXED = { name: 'Fixed', samples: 8, size: ['-K', '8', '-T', '8', '-B', '200'] };
const GROWN = { name: 'Grown', samples: 16, size: ['--width', '0.02', '--max-calls', '16'] };
const makeSweeps = (file: number) =>
  [FIXED, GROWN].map(({ name, size }) => makeSweep(`${name} ${file}`, size));

/** The same answer to the same words, as the second stage follows from the first one's answers. */
const probTrue = ({ body }: { readonly body: unknown }) => {
  const byte = createHash('sha256').update(JSON.stringify(body)).digest().readUInt8();
  return Math.round(100 * (0.5 + SCATTER * (byte / 255 - 0.5))) / 100;
};
const server = await startModelServer({
  latencyMs: 20,
  respond: (request) => ({ type: 'good', probTrue: probTrue(request) }),
});
const env = {
  HX_DATA_DIR: join(folder, 'data'),
  HX_COMPATIBLE_BASE_URL: server.baseUrl,
  PATH: process.env['PATH'],
};
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
/** How long the last process took from its start to its first call. */
let startMs = 500;
/** Kills that left a run with its first stage answered and the second one begun. */
let betweenStages = 0;

/** Starts a sweep, kills it and looks at what it has left. */
async function killOnce(kill: number, { argv }: Sweep): Promise<void> {
  const child = spawn(process.execPath, [BIN, ...argv], { env, stdio: 'ignore' });
  const exited = once(child, 'exit');
  if (kill % EARLY_KILL_EVERY > 0) {
    const callsBefore = server.calls.length;
    const spawnedMs = performance.now();
    while (server.calls.length === callsBefore && performance.now() - spawnedMs < LONGEST_START_MS)
      await sleep(5);
    startMs = performance.now() - spawnedMs;
    await sleep(prng.uniform() * LONGEST_LIFE_STARTS * startMs);
  } else {
    await sleep(prng.uniform() * startMs);
  }
  child.kill('SIGKILL');
  await exited;
  const stored = count('select count(*) from attempts');
  check(stored >= storedBefore, `kill ${kill}: ${storedBefore} attempts became ${stored}`);
  storedBefore = stored;
  betweenStages += count(
    `select count(*) from (select run_id from attempts where run_id = (
       select run_id from executions order by execution_id desc limit 1
     ) and run_id not in (select run_id from runs) group by run_id having count(*) between 8 and 15)`,
  );
}

/** The last claim that was begun is carried on to its end. */
async function carryOn({ claims, options }: Sweep): Promise<void> {
  const list = claims.map((claim) => `'${claim}'`).join(', ');
  const finished = count(`select count(*) from runs where claim in (${list})`);
  const { exitCode, stderr } = await runHx(['research', claims[finished] ?? '', ...options], { env, folder });
  check(exitCode === 0, `carrying on failed: ${stderr}`);
}

for (let kill = 0, sweeps: Sweep[] = []; kill < kills; kill += 1) {
  if (kill % KILLS_A_FILE === 0) {
    for (const sweep of sweeps) await carryOn(sweep);
    sweeps = makeSweeps(kill / KILLS_A_FILE);
  }
  const sweep = sweeps[kill % sweeps.length];
  if (sweep !== undefined) await killOnce(kill, sweep);
  if (kill === kills - 1) for (const last of sweeps) await carryOn(last);
}

const stored = count('select count(*) from attempts');
const lost = server.calls.length - stored;
check(lost <= kills * CONCURRENCY, `${lost} calls lost, more than were in flight`);
const doubled = count(
  `select count(*) from (select sample_key from attempts where status in ('valid', 'repaired')
   group by sample_key having count(*) > 1)`,
);
check(doubled === 0, `${doubled} samples were paid for twice`);
check(kills < 100 || betweenStages > 0, 'no kill fell between the two stages of a width');

// Every finished run rests on each sample once.
check(
  count('select count(*) from runs where n_usable <> n_samples or calls_made < n_samples') === 0,
  'incomplete runs',
);
check(
  count(
    `select count(*) from (select runs.run_id from runs
     join executions using (run_id) join execution_samples using (execution_id)
     where executions.outcome = 'finished' group by 1
     having count(*) <> case when claim like 'Fixed %' then ${FIXED.samples} else ${GROWN.samples} end)`,
  ) === 0,
  'runs that rest on more or fewer samples than planned',
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
  `${kills} kills in ${seconds} s, ${betweenStages} within the second stage of a width: ${stored} attempts stored, ${lost} calls lost in flight ` +
    `(at most ${kills * CONCURRENCY}), ${doubled} paid twice, ${runs} runs finished\n`,
);
for (const failure of failures) process.stdout.write(`FAILED: ${failure}\n`);
if (failures.length > 0) process.exitCode = 1;
