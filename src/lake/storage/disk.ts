import { createHash, randomBytes } from 'node:crypto';
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
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { HxError, messageOf, systemCode } from '../../base/errors.js';

/** A temporary file untouched for this long belongs to a writer that died: no write takes minutes. */
const STALE_AFTER_MS = 60 * 60 * 1000;

/** What `openTemporary` names the files of a lake; a folder may hold other people's. */
const TEMPORARY_NAME = /\.(parquet|json)\.[0-9a-f]{12}\.tmp$/;

/** Whether a file name is that of a file under way. */
export function isTemporary(name: string): boolean {
  return TEMPORARY_NAME.test(name);
}

/** The name that a file under way is to get. */
export function finalName(temporary: string): string {
  return temporary.replace(/\.[0-9a-f]{12}\.tmp$/, '');
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
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
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
  await rename(temporary, path);
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
    if (code !== 'EEXIST') {
      if (NO_HARD_LINKS.has(code)) return 'unsupported';
      throw error;
    }
    rmSync(temporary, { force: true });
    return 'taken';
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
 * @param staleAfterMs the age, since the last write, of a file that nobody is at any more.
 */
export async function removeStale(folder: string, staleAfterMs = STALE_AFTER_MS): Promise<void> {
  for (const name of await namesIn(folder)) {
    if (!isTemporary(name)) continue;
    const path = join(folder, name);
    const age = await ageMs(path);
    if (age !== undefined && age > staleAfterMs) await rm(path, { force: true });
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Milliseconds since the last write; undefined when the file has gone meanwhile. */
async function ageMs(path: string): Promise<number | undefined> {
  try {
    return Date.now() - (await stat(path)).mtimeMs;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
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
      hint: HINTS[systemCode(error) ?? ''] ?? 'Check the space and the permissions of that folder.',
    });
  }
}

const NO_SPACE =
  'The disk is full: free some space, or set HX_DATA_DIR to another disk, then run the same again.';
const TOO_LARGE =
  'That disk or account may not have so large a file: raise its limit, or set HX_DATA_DIR to another disk.';
const NO_PERMISSION = 'Give the account that runs hx the right to write there, or set HX_DATA_DIR elsewhere.';
const IN_THE_WAY = 'A file stands where a folder should be: move it away, or set HX_DATA_DIR elsewhere.';
const HINTS: Readonly<Record<string, string>> = {
  ...{ ENOSPC: NO_SPACE, EDQUOT: NO_SPACE, EFBIG: TOO_LARGE },
  ...{ EACCES: NO_PERMISSION, EPERM: NO_PERMISSION, EROFS: NO_PERMISSION },
  ...{ ENOTDIR: IN_THE_WAY, EEXIST: IN_THE_WAY },
};
