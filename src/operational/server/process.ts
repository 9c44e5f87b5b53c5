import { execFile, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { HxError, messageOf, systemCode } from '../../base/errors.js';
import { isAlive } from '../../base/process-mark.js';
import { sleep } from '../../base/time.js';
import type { Account } from './account.js';

const POLL_EVERY_MS = 30;
/** A log longer than this starts afresh with the server. */
const LOG_LIMIT_BYTES = 5_000_000;
/** Enough of the log's end to hold the reason of a failed start. */
const LOG_TAIL_LINES = 8;

/**
 * What a server program sees of the environment: none of our settings and secrets, and the C locale's messages,
 * which we look for in its log.
 */
const SERVER_VARIABLES = { LC_ALL: 'C.UTF-8', LC_MESSAGES: 'C', TZ: 'UTC' };

function spawnOptions(account: Account | undefined) {
  return {
    // The folder that hx runs in may be closed to the account.
    cwd: '/',
    env: { ...SERVER_VARIABLES, PATH: '/usr/bin:/bin' },
    ...(account === undefined ? {} : { uid: account.uid, gid: account.gid }),
  };
}

/**
 * Runs a server program to its end.
 * @throws HxError `failed` with the program's last words.
 */
export async function runProgram(
  file: string,
  args: readonly string[],
  options: { account: Account | undefined; input?: string; signal: AbortSignal },
): Promise<void> {
  const child = spawn(file, args, { ...spawnOptions(options.account), signal: options.signal });
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
  // A program that fails early closes its input; its exit code says so better.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (exitCode === 0) return;
  const said = Buffer.concat(output).toString('utf8').trim().split('\n').slice(-LOG_TAIL_LINES).join('\n');
  // As happens in a container that was started with a number for its user.
  const nameless = said.includes('could not look up effective user ID');
  throw new HxError('failed', `${file} failed: ${said}`, {
    hint: nameless
      ? 'Postgres wants an account with a name: add one of that number to /etc/passwd, or run hx as another user.'
      : 'Run hx db reset --yes to start afresh.',
  });
}

/** A server that was started and outlives us. */
export interface StartedServer {
  readonly pid: number;
  /** Whether it has ended already, which a server that came up has not. */
  hasEnded(): boolean;
}

/** Starts a server of its own session, so that Ctrl-C in this terminal does not reach it. */
export function startServer(
  file: string,
  args: readonly string[],
  logFile: string,
  account: Account | undefined,
): StartedServer {
  const log = openSync(logFile, logSize(logFile) > LOG_LIMIT_BYTES ? 'w' : 'a', 0o600);
  try {
    const child = spawn(file, args, {
      ...spawnOptions(account),
      detached: true,
      stdio: ['ignore', log, log],
    });
    let ended = false;
    child.once('exit', () => {
      ended = true;
    });
    child.once('error', () => {
      ended = true;
    });
    child.unref();
    return { pid: child.pid ?? 0, hasEnded: () => ended };
  } finally {
    closeSync(log);
  }
}

export function logSize(logFile: string): number {
  return statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
}

/** The last lines that were written to a log after a position in bytes. */
export function logTail(logFile: string, fromByte: number): string {
  const written = readFileSync(logFile).subarray(fromByte).toString('utf8').trim();
  return written.split('\n').slice(-LOG_TAIL_LINES).join('\n');
}

/** The process id in a cluster's lock file, whether or not it is alive; undefined without one. */
export function readPid(dataFolder: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(pidFile(dataFolder), 'utf8'), 10);
    return pid > 1 ? pid : undefined;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw new HxError('configuration', `Cannot read ${pidFile(dataFolder)}: ${messageOf(error)}`, {
      cause: error,
      hint: 'Run hx as the user who ran hx db up.',
    });
  }
}

export function removePidFile(dataFolder: string): void {
  rmSync(pidFile(dataFolder), { force: true });
}

function pidFile(dataFolder: string): string {
  return join(dataFolder, 'postmaster.pid');
}

/** The process id of the server that works on a cluster; undefined when there is none. */
export async function findServer(dataFolder: string): Promise<number | undefined> {
  const pid = readPid(dataFolder);
  if (pid === undefined || !isAlive(pid)) return undefined;
  // The system may have given a dead server's number to another program.
  return (await commandLine(pid)).includes(dataFolder) ? pid : undefined;
}

async function commandLine(pid: number): Promise<string> {
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    const { stdout } = await promisify(execFile)('ps', ['-o', 'command=', '-p', String(pid)]);
    return stdout;
  } catch {
    return '';
  }
}

/** Signals a server and waits until it is gone. Returns whether it went in time. */
export async function stopProcess(
  pid: number,
  how: 'SIGINT' | 'SIGQUIT' | 'SIGKILL',
  withinMs: number,
): Promise<boolean> {
  try {
    process.kill(pid, how);
  } catch (error) {
    if (systemCode(error) === 'ESRCH') return true;
    throw new HxError('configuration', `Cannot stop the server (process ${pid}): ${messageOf(error)}`, {
      cause: error,
      hint: 'Run hx as the user who ran hx db up.',
    });
  }
  const deadlineMs = performance.now() + withinMs;
  while (performance.now() < deadlineMs) {
    if (!isAlive(pid)) return true;
    await sleep(POLL_EVERY_MS);
  }
  return false;
}
