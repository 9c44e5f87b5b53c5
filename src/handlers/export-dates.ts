import { HxError } from '../base/errors.js';
import { parseUtcDate, utcDate } from '../base/time.js';
import type { Dates } from '../lake/export/coverage.js';
import type { Context } from './context.js';

/**
 * The days asked for: all when neither end is given.
 * @throws HxError `usage` for what is no date, or an end before the start.
 */
export function readDates(
  { since, until }: { since?: string | undefined; until?: string | undefined },
  context: Context,
): Dates {
  if (since === undefined && until === undefined) return { since: null, until: null };
  const first = since === undefined ? undefined : parseUtcDate(since, '--since');
  const last = parseUtcDate(until ?? utcDate(context.clock.now()), '--until');
  if (first !== undefined && first > last) {
    throw new HxError('usage', `--since ${since} is after --until ${utcDate(last)}.`, {
      hint: 'Both are UTC dates and both are included; --until is today unless given.',
    });
  }
  return { since: first === undefined ? null : utcDate(first), until: utcDate(last) };
}
