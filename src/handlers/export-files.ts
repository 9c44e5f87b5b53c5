import type { BulkLoader } from '../lake/bulk/loader.js';
import type { WrittenFile } from '../lake/export/ledger.js';
import { type RangePart, type RangeTarget, writeRangeFile } from '../lake/export/range-file.js';
import type { WritableRow } from '../lake/files/schema.js';
import type { CheckSnapshot, DayGroup, ExportedCheck, Selection } from '../operational/export.js';
import type { Context } from './context.js';

/** From so many rows on a range is worth DuckDB: it costs a quarter of a second to start, and is many times as fast. */
const BULK_FROM_ROWS = 10_000;
/** A file of fewer rows is written by our own encoder sooner than DuckDB begins one. */
const BULK_FILE_ROWS = 200;

/**
 * Writes the files of a range: of each day one of rows that were never changed and one of all others.
 * @param bulkFromRows from how many rows on a range is written by DuckDB; the rows are the same either way.
 */
export async function writeGroups(
  target: RangeTarget,
  snapshot: CheckSnapshot,
  selection: Selection,
  groups: readonly DayGroup[],
  context: Context,
  bulkFromRows = BULK_FROM_ROWS,
): Promise<WrittenFile[]> {
  const total = groups.reduce((sum, { rows }) => sum + rows, 0);
  const count = progressOf(total, context);
  const bulk = new Bulk(target, context);
  try {
    const files: WrittenFile[] = [];
    for (const group of groups) {
      const part = {
        day: group.day,
        kind: group.changed ? ('u' as const) : ('x' as const),
        rows: group.rows,
      };
      if (total < bulkFromRows || group.rows < BULK_FILE_ROWS) {
        files.push(await writeRangeFile(target, part, toLake(snapshot.read(selection, group), count)));
      } else files.push(await bulk.write(part, snapshot.copy(selection, group), count));
    }
    return files;
  } finally {
    await bulk.close();
  }
}

/** Writes large files by DuckDB, which is loaded with the first of them. */
class Bulk {
  private readonly target: RangeTarget;
  private readonly context: Context;
  private loader: BulkLoader | undefined;

  constructor(target: RangeTarget, context: Context) {
    this.target = target;
    this.context = context;
  }

  async write(
    part: RangePart,
    text: AsyncIterable<Buffer>,
    count: (rows: number) => void,
  ): Promise<WrittenFile> {
    const { BulkLoader: Loader } = await import('../lake/bulk/loader.js');
    const { writeRangeBulk } = await import('../lake/bulk/range-bulk.js');
    this.loader ??= await Loader.open();
    return writeRangeBulk(
      this.loader,
      this.target,
      part,
      counted(text, part.rows, count),
      this.context.signal,
    );
  }

  async close(): Promise<void> {
    await this.loader?.close();
  }
}

/** Tells of rows by the ends of lines. A line break within a claim looks like one more, so it is held to the total. */
async function* counted(
  text: AsyncIterable<Buffer>,
  rows: number,
  count: (rows: number) => void,
): AsyncGenerator<Buffer> {
  let left = rows;
  for await (const batch of text) {
    yield batch;
    const ends = Math.min(lineEnds(batch), left);
    left -= ends;
    count(ends);
  }
}

const LINE_END = 0x0a;

function lineEnds(batch: Buffer): number {
  let ends = 0;
  for (let at = batch.indexOf(LINE_END); at >= 0; at = batch.indexOf(LINE_END, at + 1)) ends += 1;
  return ends;
}

function progressOf(total: number, context: Context): (rows: number) => void {
  const startedMs = context.clock.monotonicMs();
  let done = 0;
  return (rows) => {
    context.signal.throwIfAborted();
    done += rows;
    const elapsedMs = context.clock.monotonicMs() - startedMs;
    context.emit({ type: 'progress', what: 'checks', done, total, elapsedMs });
  };
}

async function* toLake(
  batches: AsyncIterable<ExportedCheck[]>,
  count: (rows: number) => void,
): AsyncGenerator<WritableRow[]> {
  for await (const batch of batches) {
    yield batch.map((check) => ({ ...check, lane: 'operational' }));
    count(batch.length);
  }
}
