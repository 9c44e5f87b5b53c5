import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '../base/environments.js';
import { HxError } from '../base/errors.js';
import { utcDate } from '../base/time.js';
import { openParquetFile, type ParquetFile, ROW_GROUP_ROWS } from './parquet-file.js';
import { type DayRange, exportFileName, partitionFolder, runFileName } from './partition.js';
import {
  encodeColumns,
  type LakeRow,
  parquetSchema,
  SCHEMA_VERSION,
  SCHEMA_VERSIONS,
  type WritableRow,
} from './schema.js';
import { LocalStorage, stageReplacement } from './storage/local.js';

/** What a file says of itself, beside its columns. */
const FILE_METADATA = { 'hx.schema_version': String(SCHEMA_VERSION) };

/**
 * Appends one run to the lake as a file of its own. When it resolves, the row survives a power cut; repeating it
 * for the same run changes nothing.
 * @param exportsDir the lake's folder, `exportsFolder(dataDir)`.
 * @throws HxError `failed` when the disk refuses, `bug` for a value that its column cannot hold.
 */
export async function appendRun(exportsDir: string, row: LakeRow): Promise<{ path: string }> {
  const columns = encodeColumns([row]);
  const name = join(
    partitionFolder('', row.env as Environment, utcDate(row.created_at)),
    runFileName(row.run_id),
  );
  const staged = await new LocalStorage(exportsDir).stage(name);
  const file = await openParquetFile(staged, parquetSchema(), FILE_METADATA);
  try {
    await file.write(columns);
    await file.publish();
  } catch (error) {
    await file.discard();
    throw error;
  }
  return { path: join(exportsDir, name) };
}

/** Whether a research run's file, of any schema version, is in the lake. */
export function isRunThere(exportsDir: string, run: Pick<LakeRow, 'run_id' | 'env' | 'created_at'>): boolean {
  const folder = partitionFolder(exportsDir, run.env as Environment, utcDate(run.created_at));
  return SCHEMA_VERSIONS.some((version) => existsSync(join(folder, runFileName(run.run_id, version))));
}

export interface PublishedDay {
  readonly date: string;
  readonly rows: number;
  /** Null for a day without rows, which has no file. */
  readonly path: string | null;
  readonly bytes: number;
  /** Whether a file of an earlier export was taken away, since the day has no rows any more. */
  readonly removed: boolean;
}

/**
 * Replaces the exported days of a database by the given rows, one file a day, each atomically. A day of the range
 * without rows loses the file it had; files of another database of the environment stay. Holds at most one row group (10,000 rows) in memory.
 * @param batches every row of the range, in the order of created_at, in batches of any size.
 * @param onDay is told each day as it is done.
 * @throws HxError `failed` when the disk refuses, and whatever `batches` throws; days published before stay.
 */
export async function replaceDays(
  exportsDir: string,
  range: DayRange,
  batches: AsyncIterable<readonly WritableRow[]>,
  onDay: (day: PublishedDay) => void = () => {},
): Promise<PublishedDay[]> {
  const remaining = [...range.days];
  const published: PublishedDay[] = [];
  const done = (day: PublishedDay) => {
    published.push(day);
    onDay(day);
  };
  const clearBefore = async (date: string | undefined) => {
    while (remaining.length > 0 && remaining[0] !== date) {
      const empty = remaining.shift() ?? '';
      const removed = await removeVersions(exportsDir, range, empty, SCHEMA_VERSIONS);
      done({ date: empty, rows: 0, path: null, bytes: 0, removed });
    }
    if (date !== undefined && remaining.shift() === undefined) {
      throw new HxError('bug', `A row of ${date} is outside the exported range or out of order.`);
    }
  };
  let day: DayFile | undefined;
  try {
    for await (const row of flatten(batches)) {
      const date = dayOf(row);
      if (date !== day?.date) {
        if (day !== undefined) done(await day.publish());
        day = undefined;
        await clearBefore(date);
        day = await DayFile.open(exportsDir, range, date);
      }
      await day.add(row);
    }
    if (day !== undefined) done(await day.publish());
    day = undefined;
    await clearBefore(undefined);
  } finally {
    await day?.discard();
  }
  return published;
}

function exportPath(
  exportsDir: string,
  { environment, instance }: DayRange,
  date: string,
  version = SCHEMA_VERSION,
): string {
  return join(partitionFolder(exportsDir, environment, date), exportFileName(date, instance, version));
}

/** Removes a day's files of some schema versions. Returns whether there was any. */
async function removeVersions(
  exportsDir: string,
  range: DayRange,
  date: string,
  versions: readonly number[],
): Promise<boolean> {
  let removed = false;
  for (const version of versions) {
    removed = (await new LocalStorage('').remove(exportPath(exportsDir, range, date, version))) || removed;
  }
  return removed;
}

/** One day's file under way, with the rows of its next row group. */
class DayFile {
  readonly date: string;
  private readonly path: string;
  private readonly file: ParquetFile;
  /** Removes the files of earlier schema versions that this one replaces. */
  private readonly removeEarlier: () => Promise<unknown>;
  private rows: WritableRow[] = [];
  private written = 0;

  private constructor(date: string, path: string, file: ParquetFile, removeEarlier: () => Promise<unknown>) {
    this.date = date;
    this.path = path;
    this.file = file;
    this.removeEarlier = removeEarlier;
  }

  static async open(exportsDir: string, range: DayRange, date: string): Promise<DayFile> {
    const path = exportPath(exportsDir, range, date);
    const metadata = { ...FILE_METADATA, 'hx.instance': range.instance };
    const file = await openParquetFile(await stageReplacement(path), parquetSchema(), metadata);
    return new DayFile(date, path, file, () =>
      removeVersions(exportsDir, range, date, SCHEMA_VERSIONS.slice(0, -1)),
    );
  }

  async add(row: WritableRow): Promise<void> {
    this.rows.push(row);
    if (this.rows.length >= ROW_GROUP_ROWS) await this.flush();
  }

  async publish(): Promise<PublishedDay> {
    if (this.rows.length > 0) await this.flush();
    const { bytes } = await this.file.publish();
    await this.removeEarlier();
    return { date: this.date, rows: this.written, path: this.path, bytes, removed: false };
  }

  discard(): Promise<void> {
    return this.file.discard();
  }

  private async flush(): Promise<void> {
    await this.file.write(encodeColumns(this.rows));
    this.written += this.rows.length;
    this.rows = [];
  }
}

async function* flatten(batches: AsyncIterable<readonly WritableRow[]>): AsyncIterable<WritableRow> {
  for await (const batch of batches) yield* batch;
}

function dayOf({ created_at }: WritableRow): string {
  if (created_at instanceof Date) return utcDate(created_at);
  const microsPerDay = 86_400_000_000n;
  const days = created_at / microsPerDay - (created_at % microsPerDay < 0n ? 1n : 0n);
  return utcDate(new Date(Number(days) * 86_400_000));
}
