import { createHash } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  fsync,
  linkSync,
  openSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { type FileHandle, mkdir, open, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { diskHint } from '../../base/disk-hints.js';
import { HxError, messageOf, systemCode } from '../../base/errors.js';
import { markedNames, removeLeftOvers } from '../../base/left-overs.js';
import { newMark } from '../../base/process-mark.js';

/**
 * A temporary file of another machine that was not written to for so long belongs to a writer that died: no write takes
 * minutes. Of this machine's writers it is known whether they live.
 */
export const FOREIGN_AFTER_MS = 60 * 60 * 1000;

const temporaryNames = markedNames('.*\\.(?:parquet|json)\\.', '\\.tmp');

/** The writer's mark in the name of a file of a lake under way; a folder may hold other people's. */
export function markInTemporary(name: string): string | undefined {
  return name.endsWith('.tmp') ? temporaryNames(name) : undefined;
}

// What only changes names or the page cache is done at once: handing it to another thread takes longer than the work.
// Waiting for the disk is not.
const sync = promisify(fsync);

/** Opens an empty file of our own beside `path`, making the folder. */
export async function openTemporary(path: string): Promise<{ handle: FileHandle; temporary: string }> {
  const { descriptor, temporary } = await createTemporary(path);
  closeSync(descriptor);
  return { handle: await open(temporary, 'r+'), temporary };
}

/** Writes a file of our own beside `path`, durably. Returns where. */
export async function writeTemporary(path: string, bytes: Uint8Array): Promise<string> {
  const { descriptor, temporary } = await createTemporary(path);
  try {
    writeFileSync(descriptor, bytes);
    await sync(descriptor);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
  return temporary;
}

async function createTemporary(path: string): Promise<{ descriptor: number; temporary: string }> {
  const temporary = `${path}.${newMark()}.tmp`;
  try {
    return { descriptor: openSync(temporary, 'wx'), temporary };
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
  await makeFolder(dirname(path));
  return { descriptor: openSync(temporary, 'wx'), temporary };
}

/** Makes what was written to a closed file durable. Returns its size in bytes. */
export async function syncFile(path: string): Promise<number> {
  const handle = await open(path, 'r+');
  try {
    const { size } = await handle.stat();
    await handle.sync();
    return size;
  } finally {
    await handle.close();
  }
}

/** Gives a durable temporary file its final name, replacing what has it, durably. */
export async function renameDurably(temporary: string, path: string): Promise<void> {
  try {
    await rename(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/**
 * Gives a durable temporary file its final name, durably, unless that is taken; the temporary name goes either way.
 * @returns `taken`, or `unsupported` with nothing changed where the file system knows no hard links.
 */
export async function linkDurably(
  temporary: string,
  path: string,
): Promise<'published' | 'taken' | 'unsupported'> {
  try {
    linkSync(temporary, path);
  } catch (error) {
    const code = systemCode(error) ?? '';
    if (NO_HARD_LINKS.has(code)) return 'unsupported';
    rmSync(temporary, { force: true });
    if (code === 'EEXIST') return 'taken';
    throw error;
  }
  unlinkSync(temporary);
  await syncFolder(dirname(path));
  return 'published';
}

/** How file systems say that they have no hard links: network and FUSE ones, FAT. */
const NO_HARD_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/** Makes a folder and its parents so that they survive a power cut. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    const code = systemCode(error);
    // Somebody else may have made it meanwhile.
    if (code === 'EEXIST' && (await stat(folder)).isDirectory()) return;
    if (code !== 'ENOENT' || dirname(folder) === folder) throw error;
    await makeFolder(dirname(folder));
    return makeFolder(folder);
  }
  await syncFolder(dirname(folder));
}

/** Makes the names in a folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  const descriptor = openSync(folder, 'r');
  try {
    await sync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Removes the temporary files that dead writers left in a folder.
 * @param foreignAfterMs the age, since the last write, of another machine's file that nobody is at any more.
 */
export function removeTemporaries(folder: string, foreignAfterMs = FOREIGN_AFTER_MS): void {
  removeLeftOvers(folder, markInTemporary, foreignAfterMs);
}

/** The SHA-256 of a file's content, in hex. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 }))
    hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/**
 * Does something to a path and says in our words what the disk refused.
 * @throws HxError `failed` naming the path, the reason and what to do.
 */
export async function onDisk<T>(verb: 'read' | 'write', path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof HxError) throw error;
    throw new HxError('failed', `Cannot ${verb} ${path}: ${messageOf(error)}`, {
      cause: error,
      hint: diskHint(error) ?? 'Check the space and the permissions of that folder.',
    });
  }
}
