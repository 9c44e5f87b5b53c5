import * as t from 'typanion';
import { checkDataFolder } from '../base/data-folder.js';
import type { Environment } from '../base/environments.js';
import type { Dates } from '../lake/export/coverage.js';
import type { TransactionHolder } from '../operational/export.js';
import type { Context } from './context.js';
import { readDates } from './export-dates.js';
import type { ExportedRange, RangeWork, Waiting } from './export-range.js';
import { defineHandler } from './handler.js';
import { refreshCatalog } from './lake-catalog.js';

export interface ExportedFile {
  /** Below the lake's root. */
  readonly name: string;
  readonly rows: number;
  readonly bytes: number;
}

export interface ExportedDay {
  readonly date: string;
  readonly rows: number;
  /** Of these, rows that replace what the lake holds: changed since they were stored, or deleted. */
  readonly changed: number;
  readonly deleted: number;
}

export interface ExportChecksResult {
  readonly env: string;
  /** The days asked for; null for no end. */
  readonly since: string | null;
  readonly until: string | null;
  /** Where the lake is: a folder, or an address. */
  readonly lake: string;
  /** Transactions `[lo, hi)` that are in the lake now: what an earlier export had left undone, and what is new. */
  readonly ranges: readonly {
    lo: string;
    hi: string;
    since: string | null;
    until: string | null;
    rows: number;
  }[];
  readonly days: readonly ExportedDay[];
  readonly files: readonly ExportedFile[];
  readonly rows: number;
  /** Checks that are stored and wait for the next export, as a transaction that is still open may be before them. */
  readonly waiting: number;
  /** Who is in that transaction, of whatever database of the server; null when none waits, or it has ended by now. */
  readonly waiting_for: TransactionHolder | null;
  /** First eight hex digits of the other databases of the environment whose checks the lake also holds. */
  readonly others: readonly string[];
  /**
   * Why the lake could not be compacted after the export, which stands all the same: what deleted checks held may be in
   * files of the lake still. Null when it could, or another compaction is at it.
   */
  readonly not_compacted: string | null;
}

/** Brings into the lake what it does not hold yet of the database's checks, exactly once. */
export const exportChecks = defineHandler({
  name: 'export checks',
  input: t.isObject({ since: t.isOptional(t.isString()), until: t.isOptional(t.isString()) }),
  run: async (input, context): Promise<ExportChecksResult> => {
    const dates = readDates(input, context);
    await checkDataFolder(context.settings.dataDir);
    const database = await context.lanes.database();
    const storage = await context.lanes.lake();
    const { environment, instance } = database;
    const work: RangeWork = { storage, chain: { environment, instance }, database, context };
    const { lockExports } = await import('../lake/lock.js');
    const { exportsFolder } = await import('../lake/files/partition.js');
    const folder = exportsFolder(context.settings.dataDir);
    const release = await lockExports(folder, environment, context.signal, () => {
      context.emit({ type: 'note', message: `Waiting for another export of ${environment} to end.` });
    });
    let result: Omit<ExportChecksResult, 'not_compacted'>;
    try {
      await removeLeftOvers(work, context.settings.dataDir);
      const { ranges, waiting } = await exportRanges(work, dates);
      const { otherChains } = await import('../lake/export/ledger.js');
      result = summarize(ranges, {
        env: environment,
        ...dates,
        lake: storage.url,
        waiting: waiting.checks,
        waiting_for: waiting.holder,
        others: await otherChains(storage, work.chain),
      });
    } finally {
      release();
    }
    const notCompacted = await compactAfterExport(environment, result.days, context);
    await refreshCatalog(context);
    return { ...result, not_compacted: notCompacted };
  },
});

/** Removes what killed exports left unfinished. */
async function removeLeftOvers({ storage, chain }: RangeWork, dataDir: string): Promise<void> {
  const { removeLakeLeftOvers } = await import('../lake/left-overs.js');
  removeLakeLeftOvers(dataDir);
  await storage.removeLeftOvers(chain.environment);
}

/**
 * Compacts the days with updated checks, so that nothing of deleted ones is left once the replaced files go (also what
 * an export that died before this had left), and those that have many files; removes what may go. The export stands
 * whatever becomes of that.
 * @returns why it failed; null when it did not.
 */
async function compactAfterExport(
  environment: Environment,
  days: readonly ExportedDay[],
  { settings, clock, signal, emit, lanes }: Context,
): Promise<string | null> {
  const { compact } = await import('../lake/compaction/compact.js');
  const { describeFailure } = await import('../lake/compaction/automatic.js');
  const { isOvertaken } = await import('../lake/compaction/failures.js');
  try {
    await compact({
      storage: await lanes.lake(),
      dataDir: settings.dataDir,
      environment,
      urgency: 'updated',
      now: () => clock.now(),
      signal,
      onWait: days.some(({ deleted }) => deleted > 0) ? () => {} : undefined,
    });
    return null;
  } catch (error) {
    signal.throwIfAborted();
    if (!isOvertaken(error)) return describeFailure(environment, error);
    emit({ type: 'note', message: describeFailure(environment, error) });
    return null;
  }
}

/** Ends what earlier exports have begun, then exports what is new. */
async function exportRanges(
  work: RangeWork,
  dates: Dates,
): Promise<{ ranges: ExportedRange[]; waiting: Waiting }> {
  const { readChain } = await import('../lake/export/ledger.js');
  const { exportRange } = await import('./export-range.js');
  const ranges: ExportedRange[] = [];
  for (;;) {
    work.context.signal.throwIfAborted();
    const state = await readChain(work.storage, work.chain);
    const outcome = await exportRange(work, state, dates);
    if (outcome === 'overtaken') continue;
    if (outcome.range !== undefined) ranges.push(outcome.range);
    if (state.begun === undefined) return { ranges, waiting: outcome.waiting };
  }
}

type Asked = Pick<
  ExportChecksResult,
  'env' | 'since' | 'until' | 'lake' | 'waiting' | 'waiting_for' | 'others'
>;

function summarize(
  ranges: readonly ExportedRange[],
  asked: Asked,
): Omit<ExportChecksResult, 'not_compacted'> {
  const days = new Map<string, ExportedDay>();
  for (const { day: date, changed, rows, deleted } of ranges.flatMap(({ groups }) => groups)) {
    const before = days.get(date) ?? { date, rows: 0, changed: 0, deleted: 0 };
    days.set(date, {
      date,
      rows: before.rows + rows,
      changed: before.changed + (changed ? rows : 0),
      deleted: before.deleted + deleted,
    });
  }
  const rowsOf = ({ groups }: ExportedRange) => groups.reduce((sum, { rows }) => sum + rows, 0);
  return {
    ...asked,
    ranges: ranges.map((range) => {
      const { lo, hi, since, until } = range.rectangle;
      return { lo: String(lo), hi: String(hi), since, until, rows: rowsOf(range) };
    }),
    days: [...days.values()].sort((one, other) => (one.date < other.date ? -1 : 1)),
    files: ranges.flatMap(({ files }) => files),
    rows: ranges.reduce((sum, range) => sum + rowsOf(range), 0),
  };
}
