import type { Environment } from '../base/environments.js';
import { utcDate } from '../base/time.js';
import { runFileName } from './files/partition.js';
import { encodeRowFile } from './files/row-file.js';
import {
  encodeColumns,
  type LakeRow,
  parquetSchema,
  SCHEMA_VERSION,
  SCHEMA_VERSIONS,
} from './files/schema.js';
import type { LakeStorage } from './storage/storage.js';

/**
 * Appends one run to the lake as a file of its own. When it resolves, the row survives a power cut; repeating it
 * for the same run changes nothing.
 * @returns the file's name below the lake's root.
 * @throws HxError `failed` when the disk refuses, `bug` for a value that its column cannot hold.
 */
export async function appendRun(storage: LakeStorage, row: LakeRow): Promise<string> {
  const name = runName(row, SCHEMA_VERSION);
  await storage.putIfAbsent(name, await encodeRun(row));
  return name;
}

const RUN_SCHEMA = parquetSchema();

/** The file of one run: the same bytes for the same row. */
function encodeRun(row: LakeRow): Promise<Uint8Array> {
  const metadata = { 'hx.schema_version': String(SCHEMA_VERSION), 'hx.env': row.env };
  return encodeRowFile(RUN_SCHEMA, encodeColumns([row]), metadata);
}

/**
 * Makes a run's file hold the row, whatever it holds. A file of an earlier schema version that can be read stays.
 * @returns what was wrong with it; undefined when nothing was, or there is no file of the run.
 */
export async function mendRun(storage: LakeStorage, row: LakeRow): Promise<'mended' | undefined> {
  const name = runName(row, SCHEMA_VERSION);
  const found = await storage.read(name);
  if (found === undefined) return undefined;
  const bytes = await encodeRun(row);
  if (Buffer.compare(found.bytes, bytes) === 0) return undefined;
  // Whoever was faster has mended it.
  await storage.replace(name, bytes, found.tag);
  return 'mended';
}

type RunPlace = Pick<LakeRow, 'run_id' | 'env' | 'created_at'>;

/** Whether a research run's file, of any schema version, is in the lake. */
export async function isRunThere(storage: LakeStorage, run: RunPlace): Promise<boolean> {
  for (const version of [...SCHEMA_VERSIONS].reverse()) {
    if ((await storage.read(runName(run, version))) !== undefined) return true;
  }
  return false;
}

function runName({ run_id, env, created_at }: RunPlace, version: number): string {
  return `${env as Environment}/dt=${utcDate(created_at)}/${runFileName(run_id, version)}`;
}
