import { randomBytes } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../base/errors.js';

const NAME = /^\.spill-[0-9a-f]{12}$/;

/** A spill folder in which nothing was made for this long belongs to an engine that was killed. */
const STALE_AFTER_MS = 24 * 60 * 60 * 1000;

/**
 * The path of a new folder for what a query cannot hold in memory: DuckDB makes it when it needs it, and whoever
 * closes the engine removes it. What killed engines left in the data folder is removed first.
 */
export async function spillFolder(dataDir: string): Promise<string> {
  for (const name of await namesIn(dataDir)) {
    if (NAME.test(name)) await removeStale(join(dataDir, name));
  }
  return join(dataDir, `.spill-${randomBytes(6).toString('hex')}`);
}

async function removeStale(folder: string): Promise<void> {
  try {
    if (Date.now() - (await stat(folder)).mtimeMs < STALE_AFTER_MS) return;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    throw error;
  }
  await rm(folder, { recursive: true, force: true });
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    // A folder that we may not list has nothing that we could clean.
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'EACCES') return [];
    throw error;
  }
}
