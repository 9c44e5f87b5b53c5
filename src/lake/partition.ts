import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Environment } from '../base/environments.js';
import { HxError, messageOf, systemCode } from '../base/errors.js';
import { SCHEMA_VERSION } from './schema.js';

/** A temporary file untouched for this long belongs to a writer that died: no write takes minutes. */
const STALE_AFTER_MS = 60 * 60 * 1000;

/** What openPending names its temporary files; a folder may hold other people's. */
const TEMPORARY_NAME = /\.parquet\.[0-9a-f]{12}\.tmp$/;

/** What exportFileName gives, of any schema version. */
const EXPORT_NAME = /^x-s\d+-([0-9a-f]{8})-\d{4}-\d{2}-\d{2}\.parquet$/;

/** Some days of one database of an environment. */
export interface DayRange {
  readonly environment: Environment;
  /** UUID of the database; only its own files are touched. */
  readonly instance: string;
  /** UTC dates, `YYYY-MM-DD`, in order: the whole range, whether they have rows or not. */
  readonly days: readonly string[];
}

/** The lake's folder under the data folder. */
export function exportsFolder(dataDir: string): string {
  return join(dataDir, 'exports');
}

/** The folder of one environment's day (`YYYY-MM-DD`, UTC). */
export function partitionFolder(exportsDir: string, environment: Environment, day: string): string {
  return join(exportsDir, environment, `dt=${day}`);
}

/** File name of one research run; the same run always gets the same name, which makes a retry harmless. */
export function runFileName(runId: string, version = SCHEMA_VERSION): string {
  return `r-s${version}-${runId}.parquet`;
}

/**
 * File name of one exported day of one database (`instance`, its UUID). An export replaces the whole day, so a
 * repeat publishes nothing twice; what another database of the environment published is in another file.
 */
export function exportFileName(day: string, instance: string, version = SCHEMA_VERSION): string {
  return `x-s${version}-${shortInstance(instance)}-${day}.parquet`;
}

/** How file names and messages call a database: the first eight hex digits of its UUID. */
function shortInstance(instance: string): string {
  return instance.slice(0, 8);
}

/** Which other databases of the environment published which of the days, by the short name of each. */
export async function otherInstances(
  exportsDir: string,
  { environment, instance, days }: DayRange,
): Promise<Map<string, string[]>> {
  const others = new Map<string, string[]>();
  for (const day of days) {
    const found = new Set<string>();
    for (const name of await namesIn(partitionFolder(exportsDir, environment, day))) {
      const other = EXPORT_NAME.exec(name)?.[1];
      if (other !== undefined && other !== shortInstance(instance)) found.add(other);
    }
    for (const other of found) others.set(other, [...(others.get(other) ?? []), day]);
  }
  return others;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw new HxError('failed', `Cannot read ${folder}: ${messageOf(error)}`, { cause: error });
  }
}

/** A file being written next to its final place; no reader sees it before `publish`. */
export interface PendingFile {
  readonly handle: FileHandle;
  /** Makes the content durable, then visible under the final name. Returns the size in bytes. */
  publish(): Promise<number>;
  /** Gives up: closes and removes the temporary file. */
  discard(): Promise<void>;
}

/**
 * Opens a file for atomic publication at `path`, creating its folder and removing what dead writers left there.
 * The temporary name is unique, so writers of the same file never meet and the last to publish wins whole.
 * @throws HxError `failed` naming the path when the disk refuses.
 */
export async function openPending(path: string): Promise<PendingFile> {
  const folder = dirname(path);
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  const handle = await onDisk(path, async () => {
    await makeFolder(folder);
    await removeStale(folder);
    return open(temporary, 'wx');
  });
  const discard = async () => {
    await handle.close();
    await rm(temporary, { force: true });
  };
  const publish = () =>
    onDisk(path, async () => {
      const { size } = await handle.stat();
      await handle.sync();
      await handle.close();
      await rename(temporary, path);
      await syncFolder(folder);
      return size;
    });
  return { handle, publish, discard };
}

/** Removes a file of the lake durably. Returns whether there was one. */
export async function removePublished(path: string): Promise<boolean> {
  return onDisk(path, async () => {
    try {
      await rm(path);
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return false;
      throw error;
    }
    await syncFolder(dirname(path));
    return true;
  });
}

/** Makes a folder and its parents so that they survive a power cut. */
async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  const top = dirname(first);
  for (let made = dirname(folder); made.length >= top.length; made = dirname(made)) {
    await syncFolder(made);
    if (made === dirname(made)) return;
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function removeStale(folder: string): Promise<void> {
  const names = await readdir(folder);
  for (const name of names) {
    if (!TEMPORARY_NAME.test(name)) continue;
    const path = join(folder, name);
    const age = await ageMs(path);
    if (age !== undefined && age > STALE_AFTER_MS) await rm(path, { force: true });
  }
}

/** Milliseconds since the last write; undefined when the file has gone meanwhile. */
async function ageMs(path: string): Promise<number | undefined> {
  try {
    return Date.now() - (await stat(path)).mtimeMs;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function onDisk<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof HxError) throw error;
    throw new HxError('failed', `Cannot write ${path}: ${messageOf(error)}`, {
      cause: error,
      hint: 'Check the space and the permissions of that folder.',
    });
  }
}
