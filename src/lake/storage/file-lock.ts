import { dirname } from 'node:path';
import { makeFolders } from '../../base/data-folder.js';
import { diskHint } from '../../base/disk-hints.js';
import { HxError, messageOf, systemCode } from '../../base/errors.js';
import { sleep } from '../../base/time.js';

export interface FileLockOptions {
  /** How often a waiting process looks again, in milliseconds. */
  readonly pollMs: number;
  readonly signal?: AbortSignal;
  /** Is called once when another holds the lock. */
  readonly onWait?: () => void;
}

/**
 * Holds off everyone else who locks the same file, in this process or another, until the returned function is
 * called. The lock is the operating system's, by way of a SQLite file, so a killed holder leaves nothing locked.
 * @throws HxError `failed` when the folder cannot be written, the signal's reason when aborted while waiting.
 */
export async function lockFile(path: string, options: FileLockOptions): Promise<() => void> {
  for (let attempt = 0; ; attempt += 1) {
    const release = await tryLockFile(path);
    if (release !== undefined) return release;
    if (attempt === 0) options.onWait?.();
    await sleep(options.pollMs, options.signal);
  }
}

/**
 * Locks a file unless another holds it.
 * @returns what gives it back; undefined when another holds it.
 * @throws HxError `failed` when the folder cannot be written.
 */
export async function tryLockFile(path: string): Promise<(() => void) | undefined> {
  const { default: Sqlite } = await import('better-sqlite3');
  try {
    makeFolders(dirname(path));
    const file = new Sqlite(path, { timeout: 0 });
    try {
      file.exec('BEGIN EXCLUSIVE');
    } catch (error) {
      file.close();
      throw error;
    }
    return () => file.close();
  } catch (error) {
    if (systemCode(error) === 'SQLITE_BUSY') return undefined;
    throw new HxError('failed', `Cannot lock ${path}: ${messageOf(error)}`, {
      cause: error,
      hint: diskHint(error) ?? 'Check the space and the permissions of that folder.',
    });
  }
}
