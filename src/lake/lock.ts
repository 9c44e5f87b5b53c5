import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Environment } from '../base/environments.js';
import { HxError, messageOf, systemCode } from '../base/errors.js';
import { sleep } from '../base/time.js';

/** How often a waiting export looks again. */
const POLL_MS = 100;

/**
 * Holds off other exports of an environment, in this process or another, until the returned function is called.
 * Without it an export with an older snapshot could replace a newer one's day. The lock is the operating
 * system's, by way of a SQLite file, so a killed export leaves nothing locked.
 * @param onWait is called once when another export holds the lock.
 * @throws HxError `failed` when the folder cannot be written, the signal's reason when aborted while waiting.
 */
export async function lockExports(
  exportsDir: string,
  environment: Environment,
  signal: AbortSignal,
  onWait: () => void,
): Promise<() => void> {
  const folder = join(exportsDir, environment, '_hx');
  const path = join(folder, 'export.lock');
  for (let attempt = 0; ; attempt += 1) {
    const release = await tryLock(folder, path);
    if (release !== undefined) return release;
    if (attempt === 0) onWait();
    await sleep(POLL_MS, signal);
  }
}

async function tryLock(folder: string, path: string): Promise<(() => void) | undefined> {
  const { default: Sqlite } = await import('better-sqlite3');
  try {
    await mkdir(folder, { recursive: true });
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
      hint: 'Check the space and the permissions of that folder.',
    });
  }
}
