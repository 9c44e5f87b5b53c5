import { existsSync, rmSync } from 'node:fs';
import { HxError } from '../../base/errors.js';
import type { EmitProgress } from '../../base/events.js';
import { isAlive } from '../../base/process-mark.js';
import { sleep } from '../../base/time.js';
import { type Account, serverAccount } from './account.js';
import { findBinaries, program } from './binaries.js';
import {
  type ClusterFolder,
  type ClusterState,
  DEFAULT_PORT,
  readState,
  stateUrl,
  writeState,
} from './cluster.js';
import { type Placement, place } from './copies.js';
import { initialiseCluster, isWholeCluster, makePassword, resetPassword } from './initialise.js';
import { findFreePort, isPortFree } from './ports.js';
import { findServer, logSize, logTail, readPid, removePidFile, startServer, stopProcess } from './process.js';
import { ensureDatabase, isAnswering } from './readiness.js';

/** Recovery after a crash replays the log first, which can take a while on a slow disk. */
const START_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 20_000;
const POLL_EVERY_MS = 30;
/** Starts that fail for a passing reason: a port taken a moment ago, children of a killed server still there. */
const START_ATTEMPTS = 20;
const ATTEMPT_PAUSE_MS = 250;

export interface StartOptions {
  /** HX_PG_PORT: this port or none. */
  readonly port: number | undefined;
  readonly signal: AbortSignal;
  readonly emit: EmitProgress;
  /** Server settings for this start, `name=value`; only tests have a use for them. */
  readonly serverSettings?: readonly string[];
}

export interface Started {
  readonly state: ClusterState;
  /** False when the server was running already. */
  readonly started: boolean;
}

/** Starts the embedded server of a cluster folder, making or repairing the cluster first. Call it locked. */
export async function startEmbedded(cluster: ClusterFolder, options: StartOptions): Promise<Started> {
  const account = serverAccount();
  const placement = place(cluster, findBinaries(), account);
  const remembered = readState(cluster);
  const running = await findServer(placement.dataFolder);
  // One that is dying answers no more: it is started anew once it has ended.
  const hasEnded = () => running === undefined || !isAlive(running);
  if (remembered !== undefined && (await waitUntilAnswering(cluster, remembered, hasEnded, options.signal))) {
    await ensureDatabase(stateUrl(remembered, 'postgres'));
    return { state: remembered, started: false };
  }
  if (running !== undefined && !hasEnded()) await stopServer(running);
  const password = await prepareCluster(placement, remembered, account, options);
  clearStalePid(placement.dataFolder, options.emit);
  const state = await startOnSomePort(cluster, { placement, account, password, remembered }, options);
  await ensureDatabase(stateUrl(state, 'postgres'));
  return { state, started: true };
}

/** Leaves a whole cluster at the data folder and returns its superuser password. */
async function prepareCluster(
  placement: Placement,
  remembered: ClusterState | undefined,
  account: Account | undefined,
  { signal, emit, serverSettings }: StartOptions,
): Promise<string> {
  const { dataFolder, binaries } = placement;
  const durable = serverSettings?.includes('fsync=off') !== true;
  const making = { binaries, dataFolder, account, durable, signal };
  if (isWholeCluster(dataFolder)) {
    if (remembered !== undefined) return remembered.password;
    emit({ type: 'note', message: `The password of ${dataFolder} was lost; a new one was set.` });
    const password = makePassword();
    await resetPassword(making, password);
    return password;
  }
  if (remembered !== undefined && existsSync(remembered.dataFolder ?? dataFolder)) {
    throw new HxError(
      'conflict',
      `The cluster in ${remembered.dataFolder ?? dataFolder} cannot be used from here.`,
      {
        hint: 'It is damaged, or the data folder was moved. Put it back, or run hx db reset --yes to start afresh.',
      },
    );
  }
  if (existsSync(dataFolder)) {
    emit({ type: 'note', message: `Removed a half-made cluster from ${dataFolder}.` });
    rmSync(dataFolder, { recursive: true, force: true });
  }
  emit({ type: 'note', message: `Making a Postgres cluster in ${dataFolder}.` });
  const password = makePassword();
  await initialiseCluster(making, password);
  return password;
}

/** Postgres clears what its own crash left behind, but not when the number belongs to another program by now. */
function clearStalePid(dataFolder: string, emit: EmitProgress): void {
  const pid = readPid(dataFolder);
  if (pid === undefined) return;
  emit({
    type: 'note',
    message: `The server (process ${pid}) had ended without cleaning up; starting it again.`,
  });
  removePidFile(dataFolder);
}

interface Launch {
  readonly placement: Placement;
  readonly account: Account | undefined;
  readonly password: string;
  readonly remembered: ClusterState | undefined;
}

async function startOnSomePort(
  cluster: ClusterFolder,
  { placement, account, password, remembered }: Launch,
  options: StartOptions,
): Promise<ClusterState> {
  const { dataFolder, copies, binaries } = placement;
  let port = await choosePort(options.port, remembered?.port ?? DEFAULT_PORT, options.emit);
  for (let attempt = 1; ; attempt += 1) {
    const state: ClusterState = { engine: 'embedded', port, password, dataFolder, copies };
    const logFrom = logSize(cluster.logFile);
    const server = startServer(
      program(binaries, 'postgres'),
      serverArguments(dataFolder, port, options.serverSettings ?? []),
      cluster.logFile,
      account,
    );
    // Remembered before the first answer, so that a crash of ours leaves nothing that cannot be found again.
    writeState(cluster, state);
    if (await waitUntilAnswering(cluster, state, server.hasEnded, options.signal)) return state;
    const said = logTail(cluster.logFile, logFrom);
    const portTaken = said.includes('could not bind');
    if (attempt >= START_ATTEMPTS || !(portTaken || isPassing(said))) {
      throw new HxError('failed', `The embedded Postgres did not start:\n${said}`, {
        hint: `See ${cluster.logFile}; hx db reset --yes starts afresh.`,
      });
    }
    if (portTaken) port = await choosePort(options.port, port, options.emit);
    await sleep(ATTEMPT_PAUSE_MS, options.signal);
  }
}

/** After a SIGKILL the server's children hold its shared memory for a moment. */
function isPassing(said: string): boolean {
  return said.includes('pre-existing shared memory block') || said.includes('lock file "postmaster.pid"');
}

function serverArguments(dataFolder: string, port: number, settings: readonly string[]): string[] {
  const all = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    // No socket file: its folder would have to suit every account, and the password is asked for anyway.
    'unix_socket_directories=',
    ...settings,
  ];
  return ['-D', dataFolder, ...all.flatMap((setting) => ['-c', setting])];
}

/**
 * The port to listen on.
 * @throws HxError `configuration` when HX_PG_PORT names one that is taken.
 */
export async function choosePort(
  wanted: number | undefined,
  usual: number,
  emit: EmitProgress,
): Promise<number> {
  const port = wanted ?? usual;
  if (await isPortFree(port)) return port;
  if (wanted !== undefined) {
    throw new HxError('configuration', `Port ${port} (HX_PG_PORT) is taken by another program.`, {
      hint: 'Set HX_PG_PORT to a free port, or leave it unset and hx db up finds one.',
    });
  }
  const free = await findFreePort();
  emit({ type: 'note', message: `Port ${port} is taken by another program; using ${free}.` });
  return free;
}

/** Waits until the server answers. False when it ended instead. */
async function waitUntilAnswering(
  cluster: ClusterFolder,
  state: ClusterState,
  hasEnded: () => boolean,
  signal: AbortSignal,
): Promise<boolean> {
  const deadlineMs = performance.now() + START_WITHIN_MS;
  while (performance.now() < deadlineMs) {
    if (hasEnded()) return false;
    if (await isAnswering(stateUrl(state, 'postgres'))) return true;
    await sleep(POLL_EVERY_MS, signal);
  }
  throw new HxError('unavailable', `The local Postgres does not answer on port ${state.port}.`, {
    hint: `See ${cluster.logFile}, then hx db down and hx db up.`,
  });
}

/** Stops a running server: politely first, then at once, which costs a recovery at the next start. */
export async function stopServer(pid: number): Promise<void> {
  if (await stopProcess(pid, 'SIGINT', STOP_WITHIN_MS)) return;
  if (await stopProcess(pid, 'SIGQUIT', STOP_WITHIN_MS)) return;
  throw new HxError('failed', `The server (process ${pid}) does not end.`, {
    hint: `End process ${pid} yourself, then run the command again.`,
  });
}
