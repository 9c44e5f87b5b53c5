import { createHash } from 'node:crypto';
import { type Dirent, readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeFolders } from '../../base/data-folder.js';
import { systemCode } from '../../base/errors.js';
import { onDisk, openTemporary, removeTemporaries, renameDurably, syncFile } from '../storage/disk.js';
import type { S3Storage } from '../storage/s3.js';
import type { StoredObject } from '../storage/s3-answers.js';

/** A copy of an object of the lake. */
interface Copy {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
}

/**
 * Copies of a lake's objects on this disk. The name of each tells the content, so that a copy is right or not there;
 * processes share it without a word.
 */
export class Pool {
  private readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Where the copy of an object is, or will be. */
  pathOf({ name, tag }: StoredObject): string {
    const content = createHash('sha256').update(tag).digest('hex').slice(0, 12);
    return join(this.folder, `${name}~${content}`);
  }

  /** Whether the whole object is here. */
  has(object: StoredObject): boolean {
    return statSync(this.pathOf(object), { throwIfNoEntry: false })?.size === object.bytes;
  }

  /** Copies an object. Returns false when it is no longer there. */
  async fetch(storage: S3Storage, object: StoredObject): Promise<boolean> {
    const path = this.pathOf(object);
    return onDisk('write', path, async () => {
      makeFolders(dirname(path));
      const { handle, temporary } = await openTemporary(`${path}.parquet`);
      await handle.close();
      try {
        if (!(await storage.download(object.name, temporary))) return false;
        await syncFile(temporary);
        await renameDurably(temporary, path);
        return true;
      } finally {
        rmSync(temporary, { force: true });
      }
    });
  }

  /**
   * Removes the copies of objects that are no longer in the lake, then, while all copies take more than the limit,
   * those of the oldest days that nobody wants now.
   * @param present the paths of every object in the lake.
   * @param wanted the paths that stay.
   * @param isCovered whether the listing that gave `present` would have shown a name.
   */
  async clean(
    present: ReadonlySet<string>,
    wanted: ReadonlySet<string>,
    isCovered: (name: string) => boolean,
    limitBytes: number,
  ): Promise<void> {
    const kept: Copy[] = [];
    for (const copy of await this.copies()) {
      if (present.has(copy.path) || !isCovered(copy.name)) kept.push(copy);
      else rmSync(copy.path, { force: true });
    }
    let total = kept.reduce((sum, { bytes }) => sum + bytes, 0);
    const evictable = kept.filter(({ path }) => !wanted.has(path));
    evictable.sort((one, other) => (dayIn(one.name) < dayIn(other.name) ? -1 : 1));
    for (const { path, bytes } of evictable) {
      if (total <= limitBytes) return;
      rmSync(path, { force: true });
      total -= bytes;
    }
  }

  private async copies(): Promise<Copy[]> {
    const found: Copy[] = [];
    const walk = async (folder: string, name: string) => {
      for (const entry of entriesOf(folder)) {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) {
          removeTemporaries(path);
          await walk(path, `${name}${entry.name}/`);
          continue;
        }
        const bytes =
          entry.name.includes('~') &&
          !entry.name.endsWith('.tmp') &&
          statSync(path, { throwIfNoEntry: false })?.size;
        if (typeof bytes === 'number')
          found.push({ name: name + entry.name.replace(/~[^~]*$/, ''), path, bytes });
      }
    };
    await walk(this.folder, '');
    return found;
  }
}

/** The partition's folder of `local/dt=2026-11-01/x.parquet`, by which days are older or newer. */
function dayIn(name: string): string {
  return name.split('/')[1] ?? '';
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}
