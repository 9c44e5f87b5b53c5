import { spawnSync } from 'node:child_process';
import { closeSync, fsyncSync, openSync, rmSync, type StatsFs, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { makeTempFolder, removeFolder } from '../../../helpers.js';

const DISK_MB = 96;
const CHUNK = Buffer.alloc(64 * 1024, 1);

/** A disk so small that it can be filled. */
export interface SmallDisk {
  /** How it is made, for the report. */
  readonly kind: string;
  readonly folder: string;
  /** Leaves so much of it free, or makes all of it free again. */
  leaveKb(kb: number | undefined): void;
  /** What is taken of it. */
  usedKb(): number;
  /** The largest file that a process may write on it, where a limit stands for the disk's size. */
  largestFileKb(): number | undefined;
  remove(): void;
}

/** A file system of its own in memory where we may mount one, else a limit on the size of each file. */
export function openSmallDisk(): SmallDisk {
  const folder = makeTempFolder();
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MB}m`, 'tmpfs', folder]);
  return status === 0 ? mounted(folder) : limited(folder);
}

function mounted(folder: string): SmallDisk {
  const ballast = join(folder, 'ballast');
  const kb = (blocks: (stats: StatsFs) => number) => {
    const stats = statfsSync(folder);
    return (blocks(stats) * stats.bsize) / 1_024;
  };
  const freeKb = () => kb(({ bavail }) => bavail);
  const remove = () => {
    spawnSync('umount', ['--lazy', folder]);
    removeFolder(folder);
  };
  process.on('exit', remove);
  return {
    kind: `tmpfs of ${DISK_MB} MB`,
    folder,
    leaveKb: (wanted) => {
      rmSync(ballast, { force: true });
      if (wanted !== undefined) fill(ballast, freeKb() - wanted);
    },
    usedKb: () => kb(({ blocks, bfree }) => blocks - bfree),
    largestFileKb: () => undefined,
    remove,
  };
}

function fill(path: string, kb: number): void {
  const file = openSync(path, 'w');
  let left = Math.max(0, Math.floor(kb)) * 1_024;
  while (left > 0) left -= writeSync(file, CHUNK, 0, Math.min(left, CHUNK.length));
  fsyncSync(file);
  closeSync(file);
}

/** Without a right to mount: a file that would be larger than the limit fails as on a full disk. */
function limited(folder: string): SmallDisk {
  let limit: number | undefined;
  return {
    kind: 'limit on the size of a file',
    folder,
    leaveKb: (wanted) => {
      limit = wanted === undefined ? undefined : Math.max(1, Math.ceil(wanted));
    },
    usedKb: () => Number(/^\d+/.exec(String(spawnSync('du', ['-sk', folder]).stdout))?.[0] ?? 0),
    largestFileKb: () => limit,
    remove: () => removeFolder(folder),
  };
}
