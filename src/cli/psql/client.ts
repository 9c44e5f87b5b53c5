import { spawn } from 'node:child_process';
import { accessSync, constants, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir, constants as systemConstants } from 'node:os';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { makeWorkFolder } from '../../base/left-overs.js';
import type { Access } from '../../handlers/db-psql.js';
import { sessionFiles } from './session-files.js';

/** What libpq would take a connection from; ours is given in full. */
const CONNECTION_VARIABLES =
  /^PG(HOST|HOSTADDR|PORT|DATABASE|USER|PASSWORD|PASSFILE|SERVICE|SERVICEFILE|OPTIONS|REQUIRE\w+|CHANNELBINDING|TARGETSESSIONATTRS|SSL\w+|GSS\w+|KRB\w+|APPNAME)$/;
/** Folders of sessions whose hx was killed hold a password that nobody needs any more. */
const WORK_FOLDER = 'hx-psql-';

/** The first psql on the path; undefined without one. */
export function findPsql(path: string | undefined): string | undefined {
  const name = process.platform === 'win32' ? 'psql.exe' : 'psql';
  return (path ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isProgram);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

export interface PsqlRun {
  readonly file: string;
  readonly access: Access;
  /** Statements to run instead of reading the terminal or a pipe. */
  readonly commands: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly interactive: boolean;
}

/**
 * Runs psql on our terminal, as if it had been called instead of hx. The password is in a file that only we can read
 * and that goes with the session, and never among the arguments or variables of a process.
 * @returns its exit code; 128 and the number of the signal that ended it.
 */
export async function runPsql({
  file,
  access,
  commands,
  environment,
  interactive,
}: PsqlRun): Promise<number> {
  const folder = makeWorkFolder(WORK_FOLDER);
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.on('exit', remove);
  const restore = handSignalsOver();
  try {
    const args = [
      '--no-password',
      // A script must not go on after what failed.
      ...(interactive ? [] : ['--set=ON_ERROR_STOP=1']),
      ...commands.flatMap((command) => ['--command', command]),
    ];
    const env = variablesFor(access, environment, folder);
    const child = spawn(file, args, { stdio: 'inherit', env });
    const stop = forward((signal) => child.kill(signal));
    try {
      return await new Promise<number>((resolve, reject) => {
        child.once('error', reject);
        child.once('close', (code, signal) =>
          resolve(code ?? 128 + systemConstants.signals[signal ?? 'SIGTERM']),
        );
      });
    } finally {
      stop();
    }
  } finally {
    restore();
    remove();
    process.removeListener('exit', remove);
  }
}

function variablesFor(
  access: Access,
  environment: PsqlRun['environment'],
  folder: string,
): NodeJS.ProcessEnv {
  const { host, port, user, database, options } = access;
  const kept = Object.entries(environment).filter(([name]) => !CONNECTION_VARIABLES.test(name));
  const ownStart = environment['PSQLRC'] ?? join(environment['HOME'] ?? homedir(), '.psqlrc');
  const files = sessionFiles(access, ownStart, environment['NODE_EXTRA_CA_CERTS']);
  const paths: Record<string, string> = {};
  for (const [variable, content] of Object.entries(files)) {
    paths[variable] = join(folder, variable.toLowerCase());
    writeFileSync(paths[variable], content, { mode: 0o600 });
  }
  return {
    ...Object.fromEntries(kept),
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    PGDATABASE: database,
    PGAPPNAME: 'hx db psql',
    PGOPTIONS: options,
    PGSSLMODE: access.tls === false ? 'disable' : 'verify-full',
    ...paths,
  };
}

/** Ctrl-C on the terminal reaches psql by itself, where it stops a statement; it must not end hx meanwhile. */
function handSignalsOver(): () => void {
  const held = (['SIGINT', 'SIGTERM'] as const).map((signal) => {
    const listeners = process.listeners(signal);
    process.removeAllListeners(signal);
    return { signal, listeners };
  });
  const ignore = () => {};
  process.on('SIGINT', ignore);
  return () => {
    process.removeListener('SIGINT', ignore);
    for (const { signal, listeners } of held) {
      for (const listener of listeners) process.on(signal, listener);
    }
  };
}

/** Passes on what was sent to hx alone. */
function forward(send: (signal: NodeJS.Signals) => void): () => void {
  const listeners = (['SIGTERM', 'SIGHUP'] as const).map((signal) => ({
    signal,
    listener: () => send(signal),
  }));
  for (const { signal, listener } of listeners) process.on(signal, listener);
  return () => {
    for (const { signal, listener } of listeners) process.removeListener(signal, listener);
  };
}
