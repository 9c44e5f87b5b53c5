import type { Environment } from '../base/environments.js';
import { utcDate } from '../base/time.js';
import { openParquetFile } from './parquet-file.js';
import { runFileName } from './partition.js';
import { encodeColumns, type LakeRow, parquetSchema, SCHEMA_VERSION, SCHEMA_VERSIONS } from './schema.js';
import type { LakeStorage } from './storage/storage.js';

/**
 * Appends one run to the lake as a file of its own. When it resolves, the row survives a power cut; repeating it
 * for the same run changes nothing.
 * @returns the file's name below the lake's root.
 * @throws HxError `failed` when the disk refuses, `bug` for a value that its column cannot hold.
 */
export async function appendRun(storage: LakeStorage, row: LakeRow): Promise<string> {
  const columns = encodeColumns([row]);
  const name = runName(row, SCHEMA_VERSION);
  const file = await openParquetFile(await storage.stage(name), parquetSchema(), {
    metadata: { 'hx.schema_version': String(SCHEMA_VERSION), 'hx.env': row.env },
  });
  try {
    await file.write(columns);
    await file.publish();
  } catch (error) {
    await file.discard();
    throw error;
  }
  return name;
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
