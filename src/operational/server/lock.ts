import { HxError, systemCode } from '../../base/errors.js';
import { sleep } from '../../base/time.js';
import { type ClusterFolder, makeClusterFolder } from './cluster.js';

const POLL_EVERY_MS = 50;
/** Longer than a cluster takes to be made on a slow machine. */
const GIVE_UP_AFTER_MS = 120_000;

/**
 * Runs `work` while nothing else on this machine works on the same cluster folder. The lock is the
 * operating system's own, taken through SQLite, so it goes with its holder however that one ends.
 * @throws HxError `unavailable` when another command holds it for two minutes.
 */
export async function withClusterLock<T>(
  cluster: ClusterFolder,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  makeClusterFolder(cluster);
  const { default: Sqlite } = await import('better-sqlite3');
  const lock = new Sqlite(cluster.lockFile, { timeout: 0 });
  try {
    const deadlineMs = performance.now() + GIVE_UP_AFTER_MS;
    while (!tryLock(lock)) {
      if (performance.now() > deadlineMs) {
        throw new HxError('unavailable', `Another hx db command is still at work on ${cluster.folder}.`, {
          hint: 'Wait for it to end, or end it, then run this command again.',
        });
      }
      await sleep(POLL_EVERY_MS, signal);
    }
    return await work();
  } finally {
    lock.close();
  }
}

function tryLock(lock: { exec(statement: string): unknown }): boolean {
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return true;
  } catch (error) {
    if (systemCode(error)?.startsWith('SQLITE_BUSY')) return false;
    throw error;
  }
}
