import { dirname, join } from 'node:path';
import { HxError } from '../base/errors.js';
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

/** Says that DuckDB could not make its folder, which it does when the memory is full; undefined for any other message. */
export function spillError(message: string, cause: unknown): HxError | undefined {
  const [, path = '', reason = ''] = /^IO Error: Failed to create directory "(.+)": (.+)/.exec(message) ?? [];
  if (!path.includes(`/${PREFIX}`)) return undefined;
  const dataDir = dirname(path);
  const isMissing = /^No such file/.test(reason);
  const problem = isMissing ? 'is not there' : `takes no folder (${reason.replace(/[.!\s]+$/, '')})`;
  const remedy = isMissing ? 'Make that folder' : 'Give the account that runs hx the right to write there';
  return new HxError(
    'failed',
    `The query holds more than fits into memory, and the data folder ${dataDir}, where the rest goes, ${problem}.`,
    { cause, hint: `${remedy}, set HX_DATA_DIR to another one, or ask for less at once.` },
  );
}

/** Removes what killed engines left in the data folder. */
export function removeSpillFolders(dataDir: string): void {
  removeLeftOvers(dataDir, markedNames(`\\${PREFIX}`, ''));
}
