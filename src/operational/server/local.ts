import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { HxError } from '../../base/errors.js';
import type { EmitProgress } from '../../base/events.js';
import {
  type ClusterFolder,
  type ClusterState,
  clusterFolder,
  type Engine,
  readState,
  stateUrl,
} from './cluster.js';
import { findCopies } from './copies.js';
import { isDockerRunning, isDockerThere, removeDocker, startDocker, stopDocker } from './docker.js';
import { startEmbedded, stopServer } from './embedded.js';
import { withClusterLock } from './lock.js';
import { findServer } from './process.js';
import { isAnswering } from './readiness.js';

/** The local Postgres of one data folder, as seen from outside. */
export interface LocalServer {
  /** Null when there is no cluster. */
  readonly engine: Engine | null;
  readonly running: boolean;
  readonly answering: boolean;
  /** Process of the embedded server; null with Docker and when it does not run. */
  readonly pid: number | null;
  readonly port: number | null;
  /** Connection string, password included. Mask it wherever it is not the purpose. */
  readonly url: string | null;
  /** The folder of the cluster's files. */
  readonly folder: string;
  readonly dataFolder: string | null;
  /** Where copies lie that the server's account can reach, when it cannot reach the originals. */
  readonly copies: string | null;
}

export interface LocalOptions {
  readonly dataDir: string;
  readonly signal: AbortSignal;
  readonly emit: EmitProgress;
}

export interface UpOptions extends LocalOptions {
  readonly engine: Engine | 'auto';
  readonly port: number | undefined;
  readonly serverSettings?: readonly string[];
}

/**
 * Starts the local Postgres of a data folder, unless it runs already. Safe to call twice at once.
 * @throws HxError `configuration` for a taken HX_PG_PORT, `unavailable` without any engine, `conflict` when the
 * cluster was made by the other engine or is damaged.
 */
export async function localUp(options: UpOptions): Promise<LocalServer & { readonly started: boolean }> {
  const cluster = clusterFolder(options.dataDir);
  const { started } = await withClusterLock(cluster, options.signal, async () => {
    const engine = await chooseEngine(cluster, options);
    return engine === 'docker' ? startDocker(cluster, options) : startEmbedded(cluster, options);
  });
  return { ...(await localStatus(options)), started };
}

/** The engine of an existing cluster stays; a new one uses Docker where it answers. */
async function chooseEngine(cluster: ClusterFolder, { engine, signal }: UpOptions): Promise<Engine> {
  const made = readState(cluster)?.engine;
  if (made !== undefined && engine !== 'auto' && engine !== made) {
    throw new HxError('conflict', `The cluster in ${cluster.folder} was made with --engine ${made}.`, {
      hint: `Use that engine, or hx db reset --yes and then hx db up --engine ${engine}.`,
    });
  }
  if (made !== undefined) return made;
  if (engine !== 'auto') return engine;
  return (await isDockerThere(signal)) ? 'docker' : 'embedded';
}

/** Stops the local Postgres and keeps its data. Returns false when it did not run. */
export async function localDown(options: LocalOptions): Promise<boolean> {
  const cluster = clusterFolder(options.dataDir);
  if ((await localStatus(options)).engine === null) return false;
  return withClusterLock(cluster, options.signal, () => stopWhatRuns(cluster, options.signal));
}

async function stopWhatRuns(cluster: ClusterFolder, signal: AbortSignal): Promise<boolean> {
  const state = readState(cluster);
  if (state?.engine === 'docker') {
    const running = await isDockerRunning(cluster, state, signal);
    if (running) await stopDocker(cluster, state, signal);
    return running;
  }
  const pid = await findServer(dataFolderOf(cluster, state));
  if (pid !== undefined) await stopServer(pid);
  return pid !== undefined;
}

/** Whether the local Postgres runs, and where. Changes nothing. */
export async function localStatus({ dataDir, signal }: LocalOptions): Promise<LocalServer> {
  const cluster = clusterFolder(dataDir);
  const state = readState(cluster);
  const { folder } = cluster;
  if (state === undefined) {
    const none = { port: null, url: null, dataFolder: null, copies: null };
    return { engine: null, running: false, answering: false, pid: null, folder, ...none };
  }
  const { engine, port, dataFolder, copies } = state;
  const pid = engine === 'embedded' ? await findServer(dataFolderOf(cluster, state)) : undefined;
  const running = engine === 'docker' ? await isDockerRunning(cluster, state, signal) : pid !== undefined;
  return {
    engine,
    running,
    answering: running && (await isAnswering(stateUrl(state))),
    pid: pid ?? null,
    port,
    url: stateUrl(state),
    folder,
    dataFolder,
    copies,
  };
}

/**
 * Stops the local Postgres and removes its cluster, its copies and its password. All data in it is lost.
 * @returns whether there was anything to remove.
 */
export async function localReset(options: LocalOptions): Promise<boolean> {
  const cluster = clusterFolder(options.dataDir);
  if (!existsSync(cluster.folder) && findCopies(cluster) === undefined) return false;
  return withClusterLock(cluster, options.signal, async () => {
    const state = stateIfReadable(cluster);
    if (state?.engine === 'docker') await removeDocker(cluster, state, options.signal);
    else await stopWhatRuns(cluster, options.signal);
    const copies = state?.copies ?? findCopies(cluster);
    if (copies !== undefined) rmSync(copies, { recursive: true, force: true });
    // The lock (and SQLite's journal of it) stays: somebody may be waiting for it.
    const names = readdirSync(cluster.folder).filter((name) => !/^lock(-journal)?$/.test(name));
    for (const name of names) rmSync(join(cluster.folder, name), { recursive: true, force: true });
    return copies !== undefined || names.length > 0;
  });
}

/** A reset is the way out of a damaged state file, so it must not stumble over it. */
function stateIfReadable(cluster: ClusterFolder): ClusterState | undefined {
  try {
    return readState(cluster);
  } catch (error) {
    if (error instanceof HxError && error.code === 'conflict') {
      rmSync(cluster.stateFile);
      return undefined;
    }
    throw error;
  }
}

function dataFolderOf(cluster: ClusterFolder, state: ClusterState | undefined): string {
  if (state !== undefined && state.dataFolder !== null) return state.dataFolder;
  const inCopies = join(findCopies(cluster) ?? cluster.folder, 'data');
  return existsSync(inCopies) ? inCopies : join(cluster.folder, 'data');
}
