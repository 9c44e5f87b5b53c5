import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import { packagePath } from '../../src/base/paths.js';

/** The middle of some figures. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/** Milliseconds of each of `runs` calls, after `warmUp` calls that do not count. */
export async function timeMs(
  work: () => unknown,
  { runs, warmUp }: { runs: number; warmUp: number },
): Promise<number[]> {
  const times: number[] = [];
  for (let index = -warmUp; index < runs; index += 1) {
    const started = performance.now();
    await work();
    if (index >= 0) times.push(performance.now() - started);
  }
  return times;
}

/**
 * Wall time of two commands as whole processes, in turn, so that a machine that drifts touches both.
 * @returns medians in milliseconds and the median of the ratios pair by pair.
 */
export function compareProcesses(
  command: readonly string[],
  baseline: readonly string[],
  runs: number,
): { ms: number; baselineMs: number; ratio: number } {
  const times: number[] = [];
  const baselines: number[] = [];
  for (let index = -2; index < runs; index += 1) {
    const pair = [processMs(command), processMs(baseline)] as const;
    if (index < 0) continue;
    times.push(pair[0]);
    baselines.push(pair[1]);
  }
  return {
    ms: median(times),
    baselineMs: median(baselines),
    ratio: median(times.map((time, index) => time / (baselines[index] ?? Number.NaN))),
  };
}

/** A built hx as a process of its own: how long it took and how much memory it held at most, as the kernel says. */
export async function runMeasured(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<{ seconds: number; megabytes: number }> {
  const script = `
    import { readFileSync } from 'node:fs';
    import { runCli } from ${JSON.stringify(packagePath('dist', 'cli', 'main.js'))};
    const { env, stdin, stdout, stderr } = process;
    const exitCode = await runCli(${JSON.stringify(argv)}, { env, stdin, stdout, stderr, colorDepth: 1,
      folder: process.cwd(), signal: new AbortController().signal });
    process.stderr.write(readFileSync('/proc/self/status', 'utf8'));
    process.exit(exitCode);`;
  const started = performance.now();
  const { stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
    env: { PATH: process.env['PATH'], ...env },
    maxBuffer: 64 * 1024 * 1024,
  });
  const seconds = (performance.now() - started) / 1_000;
  return { seconds, megabytes: Number(/VmHWM:\s*(\d+) kB/.exec(stderr)?.[1]) / 1_024 };
}

function processMs([program = '', ...argv]: readonly string[]): number {
  const started = performance.now();
  execFileSync(program, argv, { stdio: 'ignore' });
  return performance.now() - started;
}

/** One figure beside its limit. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly limit: number;
  readonly detail: string;
}

export function printFigures(figures: readonly Figure[]): void {
  const rows = figures.map(({ name, value, unit, limit, detail }) => [
    name,
    `${value.toFixed(2)} ${unit}`,
    `<= ${limit} ${unit}`,
    value <= limit ? 'ok' : 'OVER',
    detail,
  ]);
  rows.unshift(['figure', 'measured', 'limit', '', 'detail']);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of rows) {
    process.stdout.write(
      `${row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd()}\n`,
    );
  }
}
