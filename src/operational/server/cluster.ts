import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as t from 'typanion';
import { makeFolders } from '../../base/data-folder.js';
import { HxError, messageOf, systemCode } from '../../base/errors.js';

export const ENGINES = ['docker', 'embedded'] as const;
export type Engine = (typeof ENGINES)[number];

/** The port of the local Postgres when neither HX_PG_PORT nor an earlier start says otherwise. */
export const DEFAULT_PORT = 54329;
export const SUPERUSER = 'postgres';
export const DATABASE_NAME = 'hx';

/** The folder of one local Postgres, and the files that lie in it beside the cluster itself. */
export interface ClusterFolder {
  readonly folder: string;
  readonly lockFile: string;
  readonly stateFile: string;
  readonly logFile: string;
}

export function clusterFolder(dataDir: string): ClusterFolder {
  const folder = join(dataDir, 'postgres');
  return {
    folder,
    lockFile: join(folder, 'lock'),
    stateFile: join(folder, 'server.json'),
    logFile: join(folder, 'server.log'),
  };
}

/** What is remembered of a cluster between commands. It holds the password, hence mode 0600. */
export interface ClusterState {
  readonly engine: Engine;
  readonly port: number;
  readonly password: string;
  /** PGDATA of the embedded engine; null with Docker, which keeps a named volume. */
  readonly dataFolder: string | null;
  /** Where copies lie that the server's own account can reach; null when it can reach the originals. */
  readonly copies: string | null;
}

const isState = t.isObject({
  engine: t.isEnum(ENGINES),
  port: t.cascade(t.isNumber(), [t.isInteger(), t.isInInclusiveRange(1, 65_535)]),
  password: t.cascade(t.isString(), [t.hasMinLength(1)]),
  dataFolder: t.isNullable(t.isString()),
  copies: t.isNullable(t.isString()),
});

/**
 * What an earlier `hx db up` remembered; undefined when there was none.
 * @throws HxError `conflict` for a file that is not ours, `configuration` for one that cannot be read.
 */
export function readState(cluster: ClusterFolder): ClusterState | undefined {
  let text: string;
  try {
    text = readFileSync(cluster.stateFile, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw new HxError('configuration', `Cannot read ${cluster.stateFile}: ${messageOf(error)}`, {
      cause: error,
      hint: 'Run hx as the user who ran hx db up.',
    });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (isState(value)) return value;
  throw new HxError('conflict', `${cluster.stateFile} is damaged.`, {
    hint: `Remove that file and run hx db up, which sets a new password; or hx db reset --yes to start afresh.`,
  });
}

/** Remembers a state; the file appears whole or not at all. */
export function writeState(cluster: ClusterFolder, state: ClusterState): void {
  const partial = `${cluster.stateFile}.partial`;
  rmSync(partial, { force: true });
  writeFileSync(partial, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o600 });
  chmodSync(partial, 0o600);
  renameSync(partial, cluster.stateFile);
}

export function makeClusterFolder(cluster: ClusterFolder): void {
  try {
    makeFolders(cluster.folder);
  } catch (error) {
    throw new HxError('configuration', `Cannot make ${cluster.folder}: ${messageOf(error)}`, {
      cause: error,
      hint: 'Set HX_DATA_DIR to a folder that you can write to.',
    });
  }
}

/** The connection string of a local server, password included. */
export function stateUrl(state: Pick<ClusterState, 'port' | 'password'>, database = DATABASE_NAME): string {
  return `postgres://${SUPERUSER}:${encodeURIComponent(state.password)}@127.0.0.1:${state.port}/${database}`;
}
