import { join } from 'node:path';
import type { Environment } from '../base/environments.js';
import { lockFile } from './storage/file-lock.js';

/** How often a waiting export looks again. */
const POLL_MS = 100;

/**
 * Holds off other exports of an environment, in this process or another, until the returned function is called.
 * That spares them the same work. It is no part of the promise that every row comes once: machines that share a lake on
 * S3 share no lock.
 * @param onWait is called once when another export holds the lock.
 * @throws HxError `failed` when the folder cannot be written, the signal's reason when aborted while waiting.
 */
export function lockExports(
  exportsDir: string,
  environment: Environment,
  signal: AbortSignal,
  onWait: () => void,
): Promise<() => void> {
  const path = join(exportsDir, environment, '_hx', 'export.lock');
  return lockFile(path, { pollMs: POLL_MS, signal, onWait });
}
