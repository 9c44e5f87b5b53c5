import { HxError } from '../base/errors.js';
import type { Chain, Rectangle } from '../lake/catalog/range-names.js';
import { type Dates, overlapping, reach, startOf } from '../lake/export/coverage.js';
import { beginRange, type ChainState, commitRange, isOpen, type WrittenFile } from '../lake/export/ledger.js';
import { RangeOvertaken, type RangeTarget } from '../lake/export/range-file.js';
import type { LakeStorage } from '../lake/storage/storage.js';
import type { Database } from '../operational/connection.js';
import {
  type CheckSnapshot,
  type DayGroup,
  type Horizon,
  type TransactionHolder,
  withSnapshot,
} from '../operational/export.js';
import type { Context } from './context.js';
import { writeGroups } from './export-files.js';

/** What one range brought into the lake. */
export interface ExportedRange {
  readonly rectangle: Rectangle;
  readonly groups: readonly DayGroup[];
  readonly files: readonly WrittenFile[];
}

/**
 * Ends of a step: a range that was exported, nothing to export, or a range that another export began or ended first;
 * and how many checks of the days asked for are stored but wait, as a transaction that is still open may be before them.
 */
export type RangeOutcome =
  | { readonly range: ExportedRange | undefined; readonly waiting: Waiting }
  | 'overtaken';

/** Checks that can only be exported when a transaction ends, and who is in it where that is known. */
export interface Waiting {
  readonly checks: number;
  readonly holder: TransactionHolder | null;
}

export interface RangeWork {
  readonly storage: LakeStorage;
  readonly chain: Chain;
  readonly database: Database;
  readonly context: Context;
}

/**
 * Exports the next range of a chain from one moment of the database: what an earlier export had begun and not ended,
 * else what is new on the days asked for. It is written down before its first file and after its last, so another
 * try after a crash, or another exporter beside this one, makes files of the same names.
 *
 * Another moment may hold fewer rows of a range that was begun: those changed since are in a range to come, in a newer
 * revision, and never others. So it does not matter whose file gets the name.
 */
export async function exportRange(work: RangeWork, state: ChainState, dates: Dates): Promise<RangeOutcome> {
  const { storage, chain, database, context } = work;
  const { slot, begun } = state;
  const earlier = state.commits.filter((commit) => commit.slot < slot);
  return withSnapshot(database, context.signal, async (snapshot) => {
    const horizon = await snapshot.horizon();
    refuseEarlierDatabase(begun?.hi ?? 0n, reach(earlier), horizon, chain);
    const rectangle = begun ?? { lo: startOf(earlier, dates), hi: horizon.settled, ...dates };
    const waiting = await waitingChecks(snapshot, horizon, dates);
    const nothing = { range: undefined, waiting };
    if (begun === undefined && rectangle.lo >= rectangle.hi) return nothing;
    const selection = { range: rectangle, without: overlapping(earlier, rectangle) };
    const groups = await snapshot.count(selection);
    const range = { slot, ...rectangle };
    const provenance = { binding: horizon.binding, createdAt: context.clock.now() };
    if (begun === undefined) {
      if (groups.length === 0) return nothing;
      if (!(await beginRange(storage, chain, range, provenance))) return 'overtaken';
    }
    const target: RangeTarget = {
      ...{ storage, chain, rectangle, binding: horizon.binding },
      isOpen: () => isOpen(storage, chain, range),
    };
    const files = await writeUnlessOvertaken(target, snapshot, selection, groups, context);
    if (files === undefined || !(await target.isOpen())) return 'overtaken';
    if (!(await commitRange(storage, chain, range, files, provenance))) return 'overtaken';
    return { range: { rectangle, groups, files }, waiting };
  });
}

async function waitingChecks(snapshot: CheckSnapshot, horizon: Horizon, dates: Dates): Promise<Waiting> {
  const checks = await snapshot.countWaiting(horizon, dates);
  const holder = checks === 0 ? undefined : await snapshot.holder(horizon.settled);
  return { checks, holder: holder ?? null };
}

async function writeUnlessOvertaken(
  ...args: Parameters<typeof writeGroups>
): Promise<WrittenFile[] | undefined> {
  try {
    return await writeGroups(...args);
  } catch (error) {
    if (error instanceof RangeOvertaken) return undefined;
    throw error;
  }
}

/** A database that was put back to an earlier moment counts its transactions again, so ranges no longer tell them apart. */
function refuseEarlierDatabase(begun: bigint, exported: bigint, horizon: Horizon, chain: Chain): void {
  if (begun <= horizon.settled && exported <= horizon.next) return;
  const reached = begun > exported ? begun : exported;
  throw new HxError(
    'conflict',
    `The ${chain.environment} database is at transaction ${horizon.next}, but its exports reach ${reached}: it was put back to an earlier moment.`,
    { hint: 'Put the lake back to the same moment, or start a new one: set HX_DATA_DIR to another folder.' },
  );
}
