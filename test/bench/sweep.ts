// Sweeps over many simulated claims in a process of its own, and over the same ones again: claims a second, CPU time a
// claim, the most memory that the process held, and where the time goes. `npm run bench:sweep -- 10000` takes ten
// thousand claims.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeTempFolder } from '../helpers.js';
import { type Figure, printFigures } from './measure.js';
import { sharesOfTime } from './profile.js';

const BIN = join(fileURLToPath(new URL('../../', import.meta.url)), 'bin', 'hx.js');
const MOST_MEMORY_MB = 300;
/** A claim has 32 answers, each estimate 5,000 resamples, and each run a file of its own in the lake. */
const MOST_CPU_MS = 60;
const MOST_CPU_AGAIN_MS = 10;
const LOOK_EVERY_MS = 500;
/** Enough for a profile; more would only take longer. */
const PROFILED_CLAIMS = 500;

const claims = Number(process.argv[2] ?? 1_000);
const folder = makeTempFolder();
const file = join(folder, 'claims.jsonl');
const lines = Array.from({ length: claims }, (_, index) =>
  JSON.stringify({ claim: `Claim number ${index}` }),
);
writeFileSync(file, lines.join('\n'));

/** Kilobytes that a process holds; 0 once it has ended. */
function memoryKb(pid: number): number {
  try {
    return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }));
  } catch {
    return 0;
  }
}

async function sweep() {
  const env = { PATH: process.env['PATH'], HX_DATA_DIR: join(folder, 'data') };
  const argv = [BIN, 'research', '--claims', file, '--model', 'simulator/default', '--json'];
  const usage = join(folder, 'usage');
  // The child says itself what it used: of a child, Node tells no CPU time.
  const report = `process.on('exit', () => require('node:fs').writeFileSync(${JSON.stringify(usage)}, JSON.stringify(process.cpuUsage())))`;
  const hook = join(folder, 'report.cjs');
  writeFileSync(hook, report);
  const started = performance.now();
  const child = spawn(process.execPath, ['--require', hook, ...argv], { env, stdio: 'ignore' });
  let mostKb = 0;
  const look = setInterval(() => {
    mostKb = Math.max(mostKb, memoryKb(child.pid ?? 0));
  }, LOOK_EVERY_MS);
  const [exitCode] = (await once(child, 'exit')) as [number | null];
  clearInterval(look);
  if (exitCode !== 0) throw new Error(`the sweep ended with ${exitCode}`);
  const { user, system } = JSON.parse(readFileSync(usage, 'utf8')) as NodeJS.CpuUsage;
  const seconds = (performance.now() - started) / 1_000;
  return { perSecond: claims / seconds, cpuMs: (user + system) / 1_000 / claims, memoryMb: mostKb / 1_024 };
}

/** The first claims once more, into a lake of their own, under the profiler. */
function whereTimeGoes(): string {
  const few = join(folder, 'few.jsonl');
  writeFileSync(few, lines.slice(0, PROFILED_CLAIMS).join('\n'));
  const profiles = join(folder, 'profiles');
  const argv = ['--cpu-prof', '--cpu-prof-dir', profiles, BIN, 'research', '--claims', few];
  const env = { PATH: process.env['PATH'], HX_DATA_DIR: join(folder, 'profiled') };
  spawnSync(process.execPath, [...argv, '--model', 'simulator/default', '--json'], { env, stdio: 'ignore' });
  const shares = sharesOfTime(profiles).map(({ name, share }) => `${name} ${(100 * share).toFixed(0)} %`);
  return shares.join(', ');
}

const first = await sweep();
const again = await sweep();
const figures: Figure[] = [
  {
    name: 'sweep, CPU a claim',
    value: first.cpuMs,
    unit: 'ms',
    limit: MOST_CPU_MS,
    detail: `${claims} claims of 32 samples, ${first.perSecond.toFixed(1)} claims/s`,
  },
  {
    name: 'sweep, memory',
    value: Math.max(first.memoryMb, again.memoryMb),
    unit: 'MB',
    limit: MOST_MEMORY_MB,
    detail: 'the most that the process held',
  },
  {
    name: 'the same again, CPU a claim',
    value: again.cpuMs,
    unit: 'ms',
    limit: MOST_CPU_AGAIN_MS,
    detail: `nothing is asked, ${again.perSecond.toFixed(0)} claims/s`,
  },
];
printFigures(figures);
process.stdout.write(`where the time goes: ${whereTimeGoes()}\n`);
if (figures.some(({ value, limit }) => value > limit)) process.exitCode = 1;
