import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Environment } from '../base/environments.js';
import { HxError, messageOf, systemCode } from '../base/errors.js';
import { SCHEMA_VERSION } from './schema.js';

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
