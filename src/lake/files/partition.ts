import { join } from 'node:path';
import type { Environment } from '../../base/environments.js';
import { SCHEMA_VERSION } from './schema.js';

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

const SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i;

/** Whether a path is one of a storage (`s3://bucket/key`) and not of this machine. */
export function hasScheme(path: string): boolean {
  return SCHEME.test(path);
}
