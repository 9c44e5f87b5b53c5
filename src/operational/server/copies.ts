import { createHash } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HxError } from '../../base/errors.js';
import { isAlive } from '../../base/process-mark.js';
import { type Account, canEnter, canReach } from './account.js';
import { type Binaries, program } from './binaries.js';
import type { ClusterFolder } from './cluster.js';
import { readPid } from './process.js';

/**
 * As root the server runs under another account, and a checkout may lie where only root can enter (under
 * /root, or in a folder of mode 700). Then what that account needs lies in a folder of its own, named after
 * the cluster folder that it stands for.
 */
export interface Placement {
  readonly binaries: Binaries;
  readonly dataFolder: string;
  /** The folder of copies; null when the originals can be reached. */
  readonly copies: string | null;
}

/** In this order: where services keep their data, then places that outlive a restart less surely. */
const PARENTS = ['/var/lib', '/var/tmp', tmpdir()];
const NAME_PREFIX = 'hx-postgres-';
/** Names the cluster folder, so that copies whose cluster is gone can be told. */
const ORIGIN_FILE = 'origin';
/** Only a linker wants these, and they are a good part of the size. */
const NOT_NEEDED = /\.a$|\/pkgconfig$/;

/** Decides where the server's files lie, and makes the copies that are missing. */
export function place(cluster: ClusterFolder, original: Binaries, account: Account | undefined): Placement {
  const needsBinaries = !essentials(original).every((path) => canReach(path, account));
  const needsData = !canEnter(cluster.folder, account);
  if (!needsBinaries && !needsData) {
    return { binaries: original, dataFolder: join(cluster.folder, 'data'), copies: null };
  }
  const copies = copiesFolder(cluster, account);
  mkdirSync(copies, { recursive: true });
  if (statSync(copies).uid !== process.getuid?.()) {
    throw new HxError('refused', `${copies} belongs to somebody else.`, {
      hint: 'Remove it, then run hx db up again.',
    });
  }
  // Whatever the umask, that account has to get in.
  chmodSync(copies, 0o755);
  writeFileSync(join(copies, ORIGIN_FILE), cluster.folder);
  removeOrphans();
  return {
    binaries: needsBinaries ? copyBinaries(original, copies) : original,
    dataFolder: join(needsData ? copies : cluster.folder, 'data'),
    copies,
  };
}

function essentials(binaries: Binaries): string[] {
  const { folder } = binaries;
  return [
    program(binaries, 'postgres'),
    program(binaries, 'initdb'),
    join(folder, 'lib'),
    join(folder, 'lib', 'postgresql'),
    join(folder, 'share', 'postgresql', 'postgres.bki'),
    join(folder, 'share', 'postgresql', 'timezone'),
  ];
}

/** The copies that an earlier start made for a cluster folder, even when nothing remembers them any more. */
export function findCopies(cluster: ClusterFolder): string | undefined {
  return PARENTS.map((parent) => join(parent, copiesName(cluster))).find((folder) => existsSync(folder));
}

/** Removes the copies of cluster folders that were deleted without a reset, unless a server still runs on them. */
function removeOrphans(): void {
  for (const parent of PARENTS.filter((folder) => existsSync(folder))) {
    for (const name of readdirSync(parent)) {
      if (!name.startsWith(NAME_PREFIX)) continue;
      const folder = join(parent, name);
      const origin = readOrigin(folder);
      if (origin === undefined || existsSync(origin)) continue;
      const pid = readPid(join(folder, 'data'));
      if (pid === undefined || !isAlive(pid)) rmSync(folder, { recursive: true, force: true });
    }
  }
}

/** The cluster folder that copies stand for; undefined for a folder that is not ours to judge. */
function readOrigin(folder: string): string | undefined {
  try {
    const path = join(folder, ORIGIN_FILE);
    return statSync(path).uid === process.getuid?.() ? readFileSync(path, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}

function copiesName(cluster: ClusterFolder): string {
  return `${NAME_PREFIX}${createHash('sha256').update(cluster.folder).digest('hex').slice(0, 16)}`;
}

function copiesFolder(cluster: ClusterFolder, account: Account | undefined): string {
  const parent = PARENTS.find((folder) => isUsable(folder, account));
  if (parent === undefined) {
    throw new HxError('configuration', `No folder that ${account?.name} can enter is writable.`, {
      hint: 'Set HX_DATA_DIR to a folder that every account may enter, or run hx as an ordinary user.',
    });
  }
  return join(parent, copiesName(cluster));
}

function isUsable(folder: string, account: Account | undefined): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return canEnter(folder, account);
  } catch {
    return false;
  }
}

/** Copies once; a copy cut short never gets the final name. */
function copyBinaries(original: Binaries, copies: string): Binaries {
  const binaries = { folder: join(copies, 'native') };
  const marker = join(copies, 'native', 'bin', 'postgres');
  if (canReach(marker, undefined)) return binaries;
  const partial = join(copies, 'native.partial');
  for (const leftover of [partial, binaries.folder]) rmSync(leftover, { recursive: true, force: true });
  cpSync(original.folder, partial, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (source) => !NOT_NEEDED.test(source),
  });
  openToAll(partial);
  renameSync(partial, binaries.folder);
  return binaries;
}

/** A checkout made under umask 077 yields copies that only root can read. */
function openToAll(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isSymbolicLink()) continue;
    const path = join(entry.parentPath, entry.name);
    const runs = entry.isDirectory() || (statSync(path).mode & 0o100) !== 0;
    chmodSync(path, runs ? 0o755 : 0o644);
  }
}

/** Gives a folder to an account. */
export function giveTo(folder: string, account: Account | undefined): void {
  if (account !== undefined) chownSync(folder, account.uid, account.gid);
}
