import * as t from 'typanion';
import { checkDataFolder } from '../base/data-folder.js';
import { parseUtcDate, utcDate } from '../base/time.js';
import type { CompactedDay } from '../lake/compaction/compact.js';
import { defineHandler } from './handler.js';
import { refreshCatalog } from './lake-catalog.js';

export interface ExportCompactResult {
  readonly env: string;
  /** Where the lake is: a folder, or an address. */
  readonly lake: string;
  /** The days whose rows are in one file now, the oldest first. */
  readonly days: readonly CompactedDay[];
  /** Replaced files that were removed, as nobody can read them any more. */
  readonly removed: number;
  /** Replaced files that stay for an hour, for those who began to read them. */
  readonly kept: number;
}

/** Makes one sorted file of each day of an environment, and removes what earlier compactions replaced. */
export const exportCompact = defineHandler({
  name: 'export compact',
  input: t.isObject({ days: t.isOptional(t.isArray(t.isString())) }),
  run: async ({ days }, context): Promise<ExportCompactResult> => {
    const { settings, clock, signal, emit, lanes } = context;
    const dates = days?.map((day) => utcDate(parseUtcDate(day, '--day')));
    await checkDataFolder(settings.dataDir);
    const storage = await lanes.lake();
    const { compact } = await import('../lake/compaction/compact.js');
    const started = clock.monotonicMs();
    const compaction = await compact({
      storage,
      dataDir: settings.dataDir,
      environment: settings.environment,
      urgency: 'any',
      days: dates,
      now: () => clock.now(),
      signal,
      onWait: () =>
        emit({ type: 'note', message: `Waiting for another compaction of ${settings.environment} to end.` }),
      onDay: (_day, done, total) =>
        emit({ type: 'progress', what: 'days', done, total, elapsedMs: clock.monotonicMs() - started }),
    });
    await refreshCatalog(context);
    const { days: compacted = [], removed = 0, kept = 0 } = compaction ?? {};
    return { env: settings.environment, lake: storage.url, days: compacted, removed, kept };
  },
});
