import { join } from 'node:path';
import type { ReadStream, WriteStream } from 'node:tty';
import type { QuerySession } from '../../handlers/query-session.js';
import type { CliContext } from '../context.js';
import type { Paint } from '../render/style.js';
import { History } from './history.js';

/** The file below the data folder that keeps what was entered. */
const HISTORY_FILE = 'query_history';

export interface ShellOptions {
  readonly dataDir: string;
  readonly paint: Paint;
}

/** Opens the shell on the terminal and returns when it is left. */
export async function runShell(
  session: QuerySession,
  context: CliContext,
  { dataDir, paint }: ShellOptions,
): Promise<void> {
  const history = await History.open(join(dataDir, HISTORY_FILE));
  const debug = context.env['HX_DEBUG'] === '1';
  if (!canDrawLive(context)) {
    const { runPlainShell } = await import('./plain.js');
    await runPlainShell(session, history, context, { paint, debug });
    return;
  }
  const { InteractiveShell } = await import('./interactive.js');
  const { folder, signal, stdin, stdout } = context;
  await new InteractiveShell({
    ...{ session, history, folder, paint, signal, debug },
    stdin: stdin as ReadStream,
    stdout: stdout as WriteStream,
  }).run();
  signal.throwIfAborted();
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
