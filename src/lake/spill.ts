import { join } from 'node:path';
import { markedNames, removeLeftOvers } from '../base/left-overs.js';
import { newMark } from '../base/process-mark.js';

const PREFIX = '.spill-';

/**
 * The path of a new folder for what a query or a compaction cannot hold in memory: DuckDB makes it when it needs it, and
 * whoever closes the engine removes it.
 */
export function newSpillFolder(dataDir: string): string {
  return join(dataDir, `${PREFIX}${newMark()}`);
}

/** Removes what killed engines left in the data folder. */
export function removeSpillFolders(dataDir: string): void {
  removeLeftOvers(dataDir, markedNames(`\\${PREFIX}`, ''));
}
