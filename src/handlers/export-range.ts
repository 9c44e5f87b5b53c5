import { HxError } from '../base/errors.js';
import { type Dates, overlapping, startOf, watermark } from '../lake/export/coverage.js';
import {
  beginRange,
  type ChainState,
  commitRange,
  type Intent,
  type WrittenFile,
} from '../lake/export/ledger.js';
import type { Chain, Rectangle } from '../lake/export/names.js';
import type { RangeTarget } from '../lake/export/range-file.js';
import type { LakeStorage } from '../lake/storage/storage.js';
import type { Database } from '../operational/connection.js';
import { type DayGroup, type Horizon, withSnapshot } from '../operational/export.js';
import type { Context } from './context.js';
import { writeGroups } from './export-files.js';

/** What one range brought into the lake. */
export interface ExportedRange {
  readonly rectangle: Rectangle;
  readonly groups: readonly DayGroup[];
  readonly files: readonly WrittenFile[];
}

/**
 * Ends of a step: a range that was exported, nothing to export, or a range that another export began first; and how
 * many checks of the days asked for are stored but wait, as a transaction that is still open may be before them.
 */
export type RangeOutcome =
  | { readonly range: ExportedRange | undefined; readonly waiting: number }
  | 'overtaken';

export interface RangeWork {
  readonly storage: LakeStorage;
  readonly chain: Chain;
  readonly database: Database;
  readonly context: Context;
}

/**
 * Exports the next range of a chain from one moment of the database: what an earlier export had begun and not ended,
 * else what is new on the days asked for. It is written down before its first file and after its last, so another
 * try after a crash makes the very same files.
 */
export async function exportRange(work: RangeWork, state: ChainState, dates: Dates): Promise<RangeOutcome> {
  const { storage, chain, database, context } = work;
  const intent: Intent | undefined = state.pending[0];
  return withSnapshot(database, async (snapshot) => {
    const horizon = await snapshot.horizon();
    refuseEarlierDatabase(intent?.hi ?? 0n, watermark(state.commits), horizon, chain);
    const rectangle: Rectangle = intent ?? {
      lo: startOf(state.commits, dates),
      hi: horizon.settled,
      ...dates,
    };
    const waiting = await snapshot.countWaiting(horizon.settled, dates);
    const nothing = { range: undefined, waiting };
    if (rectangle.lo >= rectangle.hi) return nothing;
    const selection = { range: rectangle, without: overlapping(state.commits, rectangle) };
    const groups = await snapshot.count(selection);
    const provenance = { binding: horizon.binding, createdAt: context.clock.now() };
    if (intent === undefined) {
      if (groups.length === 0) return nothing;
      if (!(await beginRange(storage, chain, rectangle, provenance))) return 'overtaken';
    }
    const target: RangeTarget = { storage, chain, rectangle, binding: horizon.binding };
    const files = await writeGroups(target, snapshot, selection, groups, context);
    await commitRange(storage, chain, rectangle, files, provenance);
    return { range: { rectangle, groups, files }, waiting };
  });
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
