import * as t from 'typanion';
import { checkDataFolder } from '../base/data-folder.js';
import { utcDate } from '../base/time.js';
import { defineHandler } from './handler.js';
import { bring } from './publish.js';

export interface ExportResearchResult {
  readonly lake: string;
  /** Finished runs of the research store. */
  readonly runs: number;
  /** Runs that were not in the lake. */
  readonly appended: number;
  /** Runs that another process is bringing to the lake; it lives, but may stand still. */
  readonly elsewhere: number;
  /** Runs whose file held anything else than the store. */
  readonly mended: number;
  /** The days of these, UTC dates. */
  readonly days: readonly string[];
}

/** Makes the lake hold every finished run of the research store, and takes nothing away. */
export const exportResearch = defineHandler({
  name: 'export research',
  input: t.isObject({}),
  run: async (_input, context): Promise<ExportResearchResult> => {
    const { clock, emit, lanes, settings, signal } = context;
    await checkDataFolder(settings.dataDir);
    const store = await lanes.research();
    const lake = await lanes.researchLake();
    const { url } = await lanes.lake();
    const { researchRow } = await import('../lake/files/schema.js');
    const ids = store.finishedRuns();
    const startedMs = clock.monotonicMs();
    const days = new Set<string>();
    const counts = { appended: 0, elsewhere: 0, mended: 0 };
    for (const [index, id] of ids.entries()) {
      signal.throwIfAborted();
      const run = store.findRun(id);
      if (run === undefined) continue;
      const brought = await bring(run, store, context);
      const outcome = brought === 'there' && (await lake.mend(researchRow(run))) ? 'mended' : brought;
      if (outcome !== 'there') counts[outcome] += 1;
      if (outcome === 'appended' || outcome === 'mended') days.add(utcDate(run.created_at));
      const elapsedMs = clock.monotonicMs() - startedMs;
      emit({ type: 'progress', what: 'runs', done: index + 1, total: ids.length, elapsedMs });
    }
    return { lake: url, runs: ids.length, ...counts, days: [...days].sort() };
  },
});
