import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { HxError, messageOf } from '../../base/errors.js';
import { packagePath } from '../../base/paths.js';
import {
  type ClusterFolder,
  type ClusterState,
  DEFAULT_PORT,
  readState,
  SUPERUSER,
  stateUrl,
  writeState,
} from './cluster.js';
import { choosePort, type Started, type StartOptions } from './embedded.js';
import { makePassword } from './initialise.js';
import { ensureDatabase } from './readiness.js';

/** A daemon that does not answer its own version by then is no daemon to rely on. */
const PROBE_TIMEOUT_MS = 5_000;
/** Pulling the image included. */
const WAIT_SECONDS = '300';

/** Whether a container engine with Compose answers on this machine. */
export async function isDockerThere(signal: AbortSignal): Promise<boolean> {
  const { execa } = await import('execa');
  for (const args of [
    ['version', '--format', '{{.Server.Version}}'],
    ['compose', 'version', '--short'],
  ]) {
    const result = await execa('docker', args, {
      reject: false,
      timeout: PROBE_TIMEOUT_MS,
      cancelSignal: signal,
      stdin: 'ignore',
    });
    if (result.failed) return false;
  }
  return true;
}

/** Starts the container of a cluster folder and waits until it is healthy. Call it locked. */
export async function startDocker(cluster: ClusterFolder, options: StartOptions): Promise<Started> {
  const { signal, emit } = options;
  if (!(await isDockerThere(signal))) {
    throw new HxError('unavailable', 'No Docker engine with Compose answers on this machine.', {
      hint: 'Start Docker, or use hx db up --engine embedded.',
    });
  }
  const remembered = readState(cluster);
  if (remembered !== undefined && (await isDockerRunning(cluster, remembered, signal))) {
    return { state: remembered, started: false };
  }
  const port = await choosePort(options.port, remembered?.port ?? DEFAULT_PORT, emit);
  const password = remembered?.password ?? makePassword();
  const state: ClusterState = { engine: 'docker', port, password, dataFolder: null, copies: null };
  // Remembered first: the volume keeps the password that it was made with.
  writeState(cluster, state);
  emit({ type: 'note', message: 'Starting Postgres with Docker Compose.' });
  try {
    await compose(cluster, state, signal, [
      'up',
      '--detach',
      '--wait',
      '--wait-timeout',
      WAIT_SECONDS,
      'postgres',
    ]);
  } catch (error) {
    // What never ran is not remembered, so that the other engine can be chosen.
    if (remembered === undefined) rmSync(cluster.stateFile, { force: true });
    throw error;
  }
  // A volume whose password was lost is still there.
  if (remembered === undefined) await setPassword(cluster, state, signal);
  await ensureDatabase(stateUrl(state, 'postgres'));
  return { state, started: true };
}

/** Over the socket inside of the container, which asks for no password. */
async function setPassword(cluster: ClusterFolder, state: ClusterState, signal: AbortSignal): Promise<void> {
  const psql = ['psql', '--no-psqlrc', '--quiet', '--set=ON_ERROR_STOP=1', `--username=${SUPERUSER}`];
  const statement = `ALTER ROLE ${SUPERUSER} PASSWORD '${state.password}';\n`;
  await compose(cluster, state, signal, ['exec', '-T', 'postgres', ...psql], statement);
}

export async function isDockerRunning(
  cluster: ClusterFolder,
  state: ClusterState,
  signal: AbortSignal,
): Promise<boolean> {
  const ids = await compose(cluster, state, signal, ['ps', '--status', 'running', '--quiet', 'postgres']);
  return ids.trim() !== '';
}

/** Stops the containers and keeps the volume. */
export async function stopDocker(
  cluster: ClusterFolder,
  state: ClusterState,
  signal: AbortSignal,
): Promise<void> {
  await compose(cluster, state, signal, ['down']);
}

/** Removes the containers and the volume. */
export async function removeDocker(
  cluster: ClusterFolder,
  state: ClusterState,
  signal: AbortSignal,
): Promise<void> {
  await compose(cluster, state, signal, ['down', '--volumes']);
}

/** A Compose project of its own for each data folder, so that several run side by side. */
export function projectName(cluster: ClusterFolder): string {
  return `hx-${createHash('sha256').update(cluster.folder).digest('hex').slice(0, 12)}`;
}

async function compose(
  cluster: ClusterFolder,
  state: ClusterState,
  signal: AbortSignal,
  args: readonly string[],
  input?: string,
): Promise<string> {
  const { execa } = await import('execa');
  const file = packagePath('docker', 'compose.yaml');
  try {
    const { stdout } = await execa(
      'docker',
      ['compose', '--file', file, '--project-name', projectName(cluster), ...args],
      {
        env: { HX_PG_PORT: String(state.port), HX_PG_PASSWORD: state.password },
        cancelSignal: signal,
        ...(input === undefined ? { stdin: 'ignore' as const } : { input }),
      },
    );
    return stdout;
  } catch (error) {
    const said = typeof error === 'object' && error !== null && 'stderr' in error ? String(error.stderr) : '';
    throw new HxError('unavailable', `docker compose ${args[0]} failed: ${said.trim() || messageOf(error)}`, {
      cause: error,
      hint:
        args[0] === 'up'
          ? 'Check that Docker runs, or use hx db up --engine embedded.'
          : `Start Docker and try again. To go on without it, remove ${cluster.stateFile} and run hx db up --engine embedded; the data stays in the volume of ${projectName(cluster)}.`,
    });
  }
}
