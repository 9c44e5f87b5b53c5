import * as t from 'typanion';
import { HxError } from '../base/errors.js';
import { MILLISECONDS_PER_DAY, parseUtcDate, utcDate } from '../base/time.js';
import type { WritableRow } from '../lake/schema.js';
import type { ExportedCheck } from '../operational/export.js';
import type { Context } from './context.js';
import { defineHandler } from './handler.js';

export interface ExportedDay {
  readonly date: string;
  readonly rows: number;
  readonly path: string;
  readonly bytes: number;
}

export interface ExportChecksResult {
  readonly env: string;
  readonly since: string;
  readonly until: string;
  /** The days that have rows; the others have no file. */
  readonly days: readonly ExportedDay[];
  /** Days whose file of an earlier export went, since they have no rows any more. */
  readonly removed: readonly string[];
  readonly rows: number;
}

/** Writes the environment's checks of some days to the lake, each day replaced whole. */
export const exportChecks = defineHandler({
  name: 'export checks',
  input: t.isObject({ since: t.isString(), until: t.isOptional(t.isString()) }),
  run: async (input, context): Promise<ExportChecksResult> => {
    const range = readRange(input, context);
    const database = await context.lanes.database();
    const { environment } = database;
    const { exportsFolder } = await import('../lake/partition.js');
    const { lockExports } = await import('../lake/lock.js');
    const folder = exportsFolder(context.settings.dataDir);
    const release = await lockExports(folder, environment, context.signal, () => {
      context.emit({ type: 'note', message: `Waiting for another export of ${environment} to end.` });
    });
    try {
      const { exportChecks: readChecks } = await import('../operational/export.js');
      const { replaceDays } = await import('../lake/writer.js');
      const started = context.clock.monotonicMs();
      let done = 0;
      const published = await readChecks(database, range, (batches) =>
        replaceDays(folder, { environment, days: range.days }, toLake(batches, context.signal), () => {
          done += 1;
          const elapsedMs = context.clock.monotonicMs() - started;
          context.emit({ type: 'progress', what: 'days', done, total: range.days.length, elapsedMs });
        }),
      );
      return {
        env: environment,
        since: utcDate(range.since),
        until: range.days.at(-1) ?? '',
        days: published.flatMap(({ date, rows, path, bytes }) =>
          path === null ? [] : [{ date, rows, path, bytes }],
        ),
        removed: published.filter(({ removed }) => removed).map(({ date }) => date),
        rows: published.reduce((sum, { rows }) => sum + rows, 0),
      };
    } finally {
      release();
    }
  },
});

interface Range {
  readonly since: Date;
  readonly before: Date;
  readonly days: readonly string[];
}

function readRange(input: { since: string; until?: string | undefined }, context: Context): Range {
  const since = parseUtcDate(input.since, '--since');
  const until = parseUtcDate(input.until ?? utcDate(context.clock.now()), '--until');
  if (since > until) {
    throw new HxError('usage', `--since ${input.since} is after --until ${utcDate(until)}.`, {
      hint: 'Both are UTC dates and both are included; --until is today unless given.',
    });
  }
  const before = new Date(until.getTime() + MILLISECONDS_PER_DAY);
  const days: string[] = [];
  for (let day = since.getTime(); day < before.getTime(); day += MILLISECONDS_PER_DAY) {
    days.push(utcDate(new Date(day)));
  }
  return { since, before, days };
}

async function* toLake(
  batches: AsyncIterable<ExportedCheck[]>,
  signal: AbortSignal,
): AsyncGenerator<WritableRow[]> {
  for await (const batch of batches) {
    signal.throwIfAborted();
    yield batch.map((check) => ({ ...check, lane: 'operational' }));
  }
}
