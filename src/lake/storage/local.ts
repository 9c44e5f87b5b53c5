import { createHash } from 'node:crypto';
import { rmSync, statSync } from 'node:fs';
import { access, readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemCode } from '../../base/errors.js';
import { removeAbandoned } from '../../base/left-overs.js';
import {
  FOREIGN_AFTER_MS,
  linkDurably,
  markInTemporary,
  onDisk,
  openTemporary,
  removeTemporaries,
  renameDurably,
  syncFile,
  syncFolder,
  writeTemporary,
} from './disk.js';
import { lockFile } from './file-lock.js';
import type { LakeStorage, OpenedFile, PublishedFile, StagedFile, StoredFile } from './storage.js';

/** Serializes what a file system cannot do in one step. It is no file of the lake. */
const LOCK_NAME = '.storage.lock';

/** Whoever holds that lock holds it for a few milliseconds. */
const LOCK_POLL_MS = 5;

/** The lake in a folder of this machine, or of a disk that several machines mount. */
export class LocalStorage implements LakeStorage {
  readonly url: string;

  /** @param root the lake's folder; made when the first file comes. */
  constructor(root: string) {
    this.url = root;
  }

  async list(folder: string): Promise<StoredFile[]> {
    const start = this.path(folder);
    return onDisk('read', start, async () => {
      const found: StoredFile[] = [];
      await collect(start, folder.replace(/\/+$/, ''), found);
      return found.sort((one, other) => (one.name < other.name ? -1 : 1));
    });
  }

  async read(name: string): Promise<{ bytes: Uint8Array; tag: string } | undefined> {
    const path = this.path(name);
    const bytes = await onDisk('read', path, () => readIfThere(path));
    return bytes === undefined ? undefined : { bytes, tag: tagOf(bytes) };
  }

  async open(name: string): Promise<OpenedFile | undefined> {
    const path = this.path(name);
    const isThere = await onDisk('read', path, () => exists(path));
    return isThere ? { path, release: async () => {} } : undefined;
  }

  putIfAbsent(name: string, bytes: Uint8Array): Promise<boolean> {
    const path = this.path(name);
    return onDisk('write', path, async () => this.take(await writeTemporary(path, bytes), path));
  }

  replace(name: string, bytes: Uint8Array, tag: string | undefined): Promise<string | undefined> {
    const path = this.path(name);
    return onDisk('write', path, () =>
      this.locked(async () => {
        const present = await readIfThere(path);
        if ((present === undefined ? undefined : tagOf(present)) !== tag) return undefined;
        await renameDurably(await writeTemporary(path, bytes), path);
        return tagOf(bytes);
      }),
    );
  }

  async stage(name: string): Promise<StagedFile> {
    const path = this.path(name);
    const temporary = await onDisk('write', path, () => createTemporary(path));
    const publish = (): Promise<PublishedFile> =>
      onDisk('write', path, async () => {
        const bytes = await syncFile(temporary);
        return { bytes, present: !(await this.take(temporary, path)) };
      });
    return { path: temporary, publish, discard: () => rm(temporary, { force: true }) };
  }

  remove(name: string): Promise<boolean> {
    const path = this.path(name);
    return onDisk('write', path, async () => {
      try {
        await rm(path);
      } catch (error) {
        if (systemCode(error) === 'ENOENT') return false;
        throw error;
      }
      await syncFolder(dirname(path));
      return true;
    });
  }

  async removeAll(names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    const folders = new Set<string>();
    // Whoever replaces a file, and stands still after a look at what is there, would bring a removed one back.
    await this.locked(async () => {
      for (const name of names) {
        const path = this.path(name);
        // At once, as in disk.ts: a compaction may remove thousands, and others wait.
        await onDisk('write', path, async () => rmSync(path, { force: true }));
        folders.add(dirname(path));
      }
    });
    for (const folder of folders) await onDisk('write', folder, () => syncIfThere(folder));
  }

  async removeLeftOvers(folder: string): Promise<void> {
    const start = this.path(folder);
    await onDisk('read', start, () => removeBelow(start));
  }

  private path(name: string): string {
    return join(this.url, name);
  }

  /** Gives a durable temporary file its name unless that is taken. Returns whether it got it. */
  private async take(temporary: string, path: string): Promise<boolean> {
    const linked = await linkDurably(temporary, path);
    if (linked !== 'unsupported') return linked === 'published';
    return this.locked(async () => {
      if (await exists(path)) {
        await rm(temporary, { force: true });
        return false;
      }
      await renameDurably(temporary, path);
      return true;
    });
  }

  private async locked<T>(work: () => Promise<T>): Promise<T> {
    const release = await lockFile(join(this.url, LOCK_NAME), { pollMs: LOCK_POLL_MS });
    try {
      return await work();
    } finally {
      release();
    }
  }
}

/**
 * A local file outside the lake that replaces the one at `path` when it is published: a result that a user asked for.
 * @throws HxError `failed` naming the path when the disk refuses.
 */
export async function stageReplacement(path: string): Promise<StagedFile> {
  removeTemporaries(dirname(path));
  const temporary = await onDisk('write', path, () => createTemporary(path));
  const publish = (): Promise<PublishedFile> =>
    onDisk('write', path, async () => {
      const bytes = await syncFile(temporary);
      await renameDurably(temporary, path);
      return { bytes, present: false };
    });
  return { path: temporary, publish, discard: () => rm(temporary, { force: true }) };
}

async function createTemporary(path: string): Promise<string> {
  const { handle, temporary } = await openTemporary(path);
  await handle.close();
  return temporary;
}

async function collect(path: string, name: string, found: StoredFile[]): Promise<void> {
  for (const entry of await entriesOf(path)) {
    const below = join(path, entry.name);
    const belowName = name === '' ? entry.name : `${name}/${entry.name}`;
    if (entry.isDirectory()) await collect(below, belowName, found);
    else if (markInTemporary(entry.name) === undefined && entry.name !== LOCK_NAME) {
      // Synchronous: a tenth of the time of the promised one, and a lake may hold 50,000 files.
      const size = statSync(below, { throwIfNoEntry: false })?.size;
      if (size !== undefined) found.push({ name: belowName, bytes: size });
    }
  }
}

/** Removes the temporary files of dead writers at any depth. */
async function removeBelow(folder: string): Promise<void> {
  for (const entry of await entriesOf(folder)) {
    const path = join(folder, entry.name);
    const mark = markInTemporary(entry.name);
    if (entry.isDirectory()) await removeBelow(path);
    else if (mark !== undefined) removeAbandoned(path, mark, FOREIGN_AFTER_MS);
  }
}

async function syncIfThere(folder: string): Promise<void> {
  try {
    await syncFolder(folder);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

async function entriesOf(path: string) {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}

function tagOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
