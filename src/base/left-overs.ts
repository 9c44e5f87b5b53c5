import { lstatSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import process from 'node:process';
import { MARK_PATTERN, newMark, writerOf } from './process-mark.js';

/** What another machine left, or this one before it was started anew, stays for so long after the last write to it. */
const UNKNOWN_AFTER_MS = 24 * 60 * 60 * 1000;

/**
 * Names that hold their writer's mark.
 * @param before what comes before the mark, as a pattern.
 * @param after what comes after it.
 * @returns what tells the mark in a name; undefined in any other name.
 */
export function markedNames(before: string, after: string): (name: string) => string | undefined {
  const pattern = new RegExp(`^${before}(${MARK_PATTERN})${after}$`);
  return (name) => pattern.exec(name)?.[1];
}

/**
 * Removes from a folder what dead processes left in it. Whatever a living one writes stays, however long it takes.
 * @param markIn the writer's mark in a name; undefined for names that are none of ours.
 * @param unknownAfterMs the age, since the last write, of what goes though nobody here can tell whether its writer lives.
 */
export function removeLeftOvers(
  folder: string,
  markIn: (name: string) => string | undefined,
  unknownAfterMs = UNKNOWN_AFTER_MS,
): void {
  for (const name of namesIn(folder)) {
    const mark = markIn(name);
    if (mark !== undefined) removeAbandoned(join(folder, name), mark, unknownAfterMs);
  }
}

/** Removes one file or folder if its writer is dead. See `removeLeftOvers`. */
export function removeAbandoned(path: string, mark: string, unknownAfterMs = UNKNOWN_AFTER_MS): void {
  const writer = writerOf(mark);
  if (writer === 'alive') return;
  try {
    const { mtimeMs, uid } = lstatSync(path);
    if (writer === 'unknown' && Date.now() - mtimeMs <= unknownAfterMs) return;
    // Where everybody may write, a name proves nothing, and a folder could lead elsewhere while it is removed.
    if (isOpenToAll(dirname(path)) && uid !== process.getuid?.()) return;
    rmSync(path, { recursive: true, force: true });
  } catch {
    // Another process was faster, or another account's it is: nobody's work depends on its removal.
  }
}

/** Where a file is written that is to get the name `path` once it is whole: hidden, beside it, and new. */
export function pendingPath(path: string): string {
  return join(dirname(path), `.${basename(path)}.${newMark()}.tmp`);
}

/** Removes the files that dead processes were writing by way of `pendingPath`. */
export function removePending(folder: string): void {
  removeLeftOvers(folder, PENDING);
}

const PENDING = markedNames('\\..+\\.', '\\.tmp');

/**
 * Makes a folder of ours in the system's temporary one, which no other account can enter. Whoever makes it removes it;
 * those that dead processes left go first.
 * @param prefix of its name, of letters and hyphens.
 */
export function makeWorkFolder(prefix: string): string {
  removeWorkFolders(prefix);
  const folder = join(tmpdir(), `${prefix}${newMark()}`);
  mkdirSync(folder, { mode: 0o700 });
  return folder;
}

/** Removes the folders that dead processes made by `makeWorkFolder`. */
export function removeWorkFolders(prefix: string): void {
  removeLeftOvers(tmpdir(), markedNames(prefix, ''));
}

function isOpenToAll(folder: string): boolean {
  return (statSync(folder).mode & 0o002) !== 0;
}

/** A folder that is not there, or that we may not list, has nothing that we could clean. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
