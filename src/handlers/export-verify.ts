import * as t from 'typanion';
import { checkDataFolder } from '../base/data-folder.js';
import type { Rectangle } from '../lake/catalog/range-names.js';
import type { Dates } from '../lake/export/coverage.js';
import type { LakeProblem } from '../lake/export/verify.js';
import { END_OF_TRANSACTIONS, withSnapshot } from '../operational/export.js';
import type { Context } from './context.js';
import { readDates } from './export-dates.js';
import { defineHandler } from './handler.js';

/** Problems that are named one by one; more are counted. */
const NAMED_PROBLEMS = 1_000;

export interface VerifiedDayCounts {
  readonly date: string;
  readonly in_database: number;
  readonly in_lake: number;
  readonly database_checksum: string;
  readonly lake_checksum: string;
  /** Checks that wait for an export. */
  readonly waiting: number;
  readonly problems: number;
}

interface RangeText {
  readonly lo: string;
  readonly hi: string;
  readonly since: string | null;
  readonly until: string | null;
}

export interface ExportVerifyResult {
  readonly env: string;
  readonly lake: string;
  readonly is_right: boolean;
  readonly days: readonly VerifiedDayCounts[];
  /** The first thousand, by day. */
  readonly problems: readonly LakeProblem[];
  /** Transactions that the chain of exports leaves out or covers twice. */
  readonly chain: readonly { problem: 'gap' | 'overlap'; lo: string; hi: string }[];
  /** Exports that have begun and not ended; the next one ends them. */
  readonly unfinished: readonly RangeText[];
}

/** Compares what the lake holds of a database's checks with the database, day by day and value by value. */
export const exportVerify = defineHandler({
  name: 'export verify',
  input: t.isObject({ since: t.isOptional(t.isString()), until: t.isOptional(t.isString()) }),
  run: async (input, context): Promise<ExportVerifyResult> => {
    const dates = readDates(input, context);
    await checkDataFolder(context.settings.dataDir);
    const database = await context.lanes.database();
    const storage = await context.lanes.lake();
    const chain = { environment: database.environment, instance: database.instance };
    const { readChain } = await import('../lake/export/ledger.js');
    const { chainProblems } = await import('../lake/export/coverage.js');
    // The commits come before the moment of the database, so that it has whatever they say was exported.
    const state = await readChain(storage, chain);
    const { checkFiles, LakeVerifier } = await import('../lake/export/verify.js');
    const verified = await withSnapshot(database, context.signal, async (snapshot) => {
      const files = await checkFiles(storage, chain);
      const stored = await snapshot.count({ range: EVERYTHING, without: [] });
      const days = [...new Set([...files.keys(), ...stored.map(({ day }) => day)])].sort();
      const wanted = days.filter((day) => isWithin(day, dates));
      const verifier = await LakeVerifier.open(storage, chain, state.commits);
      try {
        const count = progress(wanted.length, context);
        const results = [];
        for (const day of wanted) {
          const text = snapshot.copyDay(day, state.commits);
          results.push(await verifier.verify(day, files.get(day), text, context.signal));
          count();
        }
        return results;
      } finally {
        await verifier.close();
      }
    });
    const problems = verified.flatMap((day) => day.problems);
    const ranges = chainProblems(state.commits);
    return {
      env: chain.environment,
      lake: storage.url,
      is_right: problems.length === 0 && ranges.length === 0,
      days: verified.map((day) => ({
        date: day.date,
        in_database: day.inDatabase,
        in_lake: day.inLake,
        database_checksum: day.databaseChecksum,
        lake_checksum: day.lakeChecksum,
        waiting: day.waiting,
        problems: day.problems.length,
      })),
      problems: problems.slice(0, NAMED_PROBLEMS),
      chain: ranges.map(({ problem, lo, hi }) => ({ problem, lo: String(lo), hi: String(hi) })),
      unfinished: (state.begun === undefined ? [] : [state.begun]).map(({ lo, hi, since, until }) => ({
        lo: String(lo),
        hi: String(hi),
        since,
        until,
      })),
    };
  },
});

const EVERYTHING: Rectangle = { lo: 0n, hi: END_OF_TRANSACTIONS, since: null, until: null };

function isWithin(day: string, { since, until }: Dates): boolean {
  return (since === null || day >= since) && (until === null || day <= until);
}

function progress(total: number, { clock, emit, signal }: Context): () => void {
  const startedMs = clock.monotonicMs();
  let done = 0;
  return () => {
    signal.throwIfAborted();
    done += 1;
    emit({ type: 'progress', what: 'days', done, total, elapsedMs: clock.monotonicMs() - startedMs });
  };
}
