import * as t from 'typanion';
import { checkDataFolder } from '../base/data-folder.js';
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
  /** Other databases of the environment whose checks the lake also holds on days of the range. */
  readonly others: readonly OtherDatabase[];
  readonly rows: number;
}

/** A database of the same environment that published before: one since made anew, or a claimed branch. */
export interface OtherDatabase {
  /** First eight hex digits of its instance UUID, as in the names of its files. */
  readonly instance: string;
  readonly days: readonly string[];
}

/** Writes the database's checks of some days to the lake, each day replaced whole. */
export const exportChecks = defineHandler({
  name: 'export checks',
  input: t.isObject({ since: t.isString(), until: t.isOptional(t.isString()) }),
  run: async (input, context): Promise<ExportChecksResult> => {
    const range = readRange(input, context);
    await checkDataFolder(context.settings.dataDir);
    const database = await context.lanes.database();
    const { environment, instance } = database;
    const { exportsFolder, otherInstances } = await import('../lake/partition.js');
    const { lockExports } = await import('../lake/lock.js');
    const folder = exportsFolder(context.settings.dataDir);
    const release = await lockExports(folder, environment, context.signal, () => {
      context.emit({ type: 'note', message: `Waiting for another export of ${environment} to end.` });
    });
    try {
      const { exportChecks: readChecks } = await import('../operational/export.js');
      const { replaceDays } = await import('../lake/writer.js');
      const started = context.clock.monotonicMs();
      const target = { environment, instance, days: range.days };
      let done = 0;
      const published = await readChecks(database, range, (batches) =>
        replaceDays(folder, target, toLake(batches, context.signal), () => {
          done += 1;
          const elapsedMs = context.clock.monotonicMs() - started;
          context.emit({ type: 'progress', what: 'days', done, total: range.days.length, elapsedMs });
        }),
      );
      const others = [...(await otherInstances(folder, target))].map(([other, days]) => ({
        instance: other,
        days,
      }));
      for (const other of others) context.emit({ type: 'note', message: describeOther(other, environment) });
      return {
        env: environment,
        since: utcDate(range.since),
        until: range.days.at(-1) ?? '',
        days: published.flatMap(({ date, rows, path, bytes }) =>
          path === null ? [] : [{ date, rows, path, bytes }],
        ),
        removed: published.filter(({ removed }) => removed).map(({ date }) => date),
        others,
        rows: published.reduce((sum, { rows }) => sum + rows, 0),
      };
    } finally {
      release();
    }
  },
});

function describeOther({ instance, days }: OtherDatabase, environment: string): string {
  const more = days.length - 1;
  const subject =
    more === 0
      ? `${days[0]} also holds`
      : `${days[0]} and ${more} more ${more === 1 ? 'day' : 'days'} also hold`;
  return `${subject} checks of another database of ${environment} (instance ${instance}).`;
}

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
