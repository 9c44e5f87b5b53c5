import { markedNames, removeLeftOvers, removeWorkFolders } from '../base/left-overs.js';
import { removeSpillFolders } from './spill.js';

/** Begins the name of a folder for pipes and for what exceeds the memory of an export. */
export const LOAD_FOLDER = 'hx-load-';

/** Begins the name of a folder in which a catalog for other tools is made. */
export const CATALOG_FOLDER = 'hx-catalog-';

/** A catalog, or its statements, on the way to its name. */
const CATALOG_UNDER_WAY = markedNames('catalog\\.(?:duckdb|sql)\\.', '\\.tmp');

/**
 * Removes what killed writers of the lake left unfinished in the data folder and in the system's temporary one; beside
 * the lake's own files its storage does. Whoever writes to the lake begins with both.
 */
export function removeLakeLeftOvers(dataDir: string): void {
  removeSpillFolders(dataDir);
  removeLeftOvers(dataDir, CATALOG_UNDER_WAY);
  removeWorkFolders(`(?:${LOAD_FOLDER}|${CATALOG_FOLDER})`);
}
