import { mkdirSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, sep } from 'node:path';
import { HxError, messageOf, systemCode } from './errors.js';

/**
 * Makes sure that the data folder can be one. It may be missing: whatever writes there first makes it.
 * @throws HxError `configuration` when a file is in its place or above it, it cannot be looked at, or DuckDB would look
 * elsewhere for it.
 */
export async function checkDataFolder(dataDir: string): Promise<void> {
  if (sep === '/' && dataDir.includes('\\')) {
    throw unusable(dataDir, 'DuckDB takes the \\ in its path for the end of a folder');
  }
  try {
    if ((await stat(dataDir)).isDirectory()) return;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    throw unusable(dataDir, systemCode(error) === 'ENOTDIR' ? FILE_THERE : messageOf(error), error);
  }
  throw unusable(dataDir, FILE_THERE);
}

const FILE_THERE = 'a file is in its place';

function unusable(dataDir: string, problem: string, cause?: unknown): HxError {
  return new HxError('configuration', `The data folder ${dataDir} cannot be used: ${problem}.`, {
    cause,
    hint: 'Set HX_DATA_DIR to another folder; a missing one is made.',
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
