import { join } from 'node:path';
import process from 'node:process';
import type { ReadStream, WriteStream } from 'node:tty';
import { toHxError } from '../../base/errors.js';
import type { QuerySession } from '../../handlers/query-session.js';
import type { CliContext } from '../context.js';
import { renderError } from '../render/error.js';
import type { TextFormat } from '../render/formats/index.js';
import type { Paint } from '../render/style.js';
import { History } from './history.js';

/** The file below the data folder that keeps what was entered. */
const HISTORY_FILE = 'query_history';

export interface ShellOptions {
  readonly dataDir: string;
  readonly paint: Paint;
  /** The mode to begin with. */
  readonly format: TextFormat;
}

/** Opens the shell on the terminal and returns when it is left. */
export async function runShell(
  session: QuerySession,
  context: CliContext,
  { dataDir, paint, format }: ShellOptions,
): Promise<void> {
  const debug = context.env['HX_DEBUG'] === '1';
  const history = await History.open(join(dataDir, HISTORY_FILE)).catch((error: unknown) => {
    // Of a data folder that several accounts read, it is the file of the first who opened the shell.
    context.stdout.write(renderError(toHxError(error), paint, debug));
    return History.ofSession();
  });
  if (!canDrawLive(context)) {
    const { runPlainShell } = await import('./plain.js');
    await runPlainShell(session, history, context, { paint, debug, format });
    return;
  }
  chooseFastReact(process.env);
  const { InteractiveShell } = await import('./interactive.js');
  const { env, folder, signal, stdin, stdout } = context;
  await new InteractiveShell({
    ...{ session, history, folder, paint, signal, debug, format },
    reflows: foldsAnew(env),
    greeting: greeting(paint),
    stdin: stdin as ReadStream,
    stdout: stdout as WriteStream,
  }).run();
  signal.throwIfAborted();
}

function greeting(paint: Paint): string {
  const text = 'SQL over the lake, ended by a semicolon. .help lists commands and keys.';
  return `${paint('dim', text)}\n`;
}

/** React looks at this when it is loaded, and checks every element of every frame where it is not set. */
function chooseFastReact(env: NodeJS.ProcessEnv): void {
  env['NODE_ENV'] ??= 'production';
}

/** Most terminals fold lines anew when the window is narrowed; xterm and the Linux console cut them off. */
function foldsAnew(env: CliContext['env']): boolean {
  return env['TERM'] !== 'linux' && env['XTERM_VERSION'] === undefined;
}

/** Ink draws nothing live where it takes the machine for a build server, and a dumb terminal cannot. */
function canDrawLive({ env, stdin }: CliContext): boolean {
  if (env['TERM'] === 'dumb' || !('setRawMode' in stdin)) return false;
  const isBuildServer = ['CI', 'CONTINUOUS_INTEGRATION'].some((name) => !isOff(env[name]));
  return !isBuildServer;
}

function isOff(value: string | undefined): boolean {
  return value === undefined || value === '0' || value === 'false';
}
