import { mkdirSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { HxError, messageOf, systemCode } from './errors.js';

/**
 * Makes sure that the data folder can be one. It may be missing: whatever writes there first makes it.
 * @throws HxError `configuration` when a file is in its place or above it, or it cannot be looked at.
 */
export async function checkDataFolder(dataDir: string): Promise<void> {
  try {
    if ((await stat(dataDir)).isDirectory()) return;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    throw unusable(dataDir, error);
  }
  throw unusable(dataDir);
}

function unusable(dataDir: string, cause?: unknown): HxError {
  const isFile = cause === undefined || systemCode(cause) === 'ENOTDIR';
  const problem = isFile ? 'a file is in its place' : messageOf(cause);
  return new HxError('configuration', `The data folder ${dataDir} cannot be used: ${problem}.`, {
    cause,
    hint: 'Set HX_DATA_DIR to a folder; a missing one is made.',
  });
}

/** Makes a folder and those above it. The recursive mkdir of Node 20 never returns where /proc refuses one. */
export function makeFolders(folder: string): void {
  const isFolder = () => statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
  if (isFolder()) return;
  if (dirname(folder) !== folder) makeFolders(dirname(folder));
  try {
    mkdirSync(folder);
  } catch (error) {
    // Somebody else may have made it meanwhile.
    if (!isFolder()) throw error;
  }
}
