import { HxError } from '../base/errors.js';
import { groupAttempts } from './outcome.js';
import { type Attempt, isUsable } from './sample.js';

/**
 * The error of an estimate for which too few answers were usable, with what came instead of them: who paid for the
 * calls has to know why.
 * @returns any other error as it is.
 */
export function withWhatCame(thrown: unknown, attempts: readonly Attempt[]): unknown {
  if (!(thrown instanceof HxError) || thrown.code !== 'insufficient_samples') return thrown;
  const counts = new Map<string, number>();
  let problem: string | null = null;
  for (const own of groupAttempts(attempts).values()) {
    const final = own.find(({ status }) => isUsable(status)) ?? own.at(-1);
    if (final === undefined) continue;
    const status = isUsable(final.status) ? 'usable' : final.status;
    counts.set(status, (counts.get(status) ?? 0) + 1);
    if (status !== 'usable') problem = final.problem ?? problem;
  }
  const samples = [...counts].map(([status, count]) => `${count} ${status}`).join(', ');
  const last = problem === null ? '' : ` The last problem: ${problem}`;
  return new HxError(thrown.code, `${thrown.message} What came: ${samples}.${last}`, {
    cause: thrown,
    hint: `${thrown.hint ?? ''} What came is stored and not asked for again, but by --no-cache.`.trim(),
    facts: { samples_by_status: Object.fromEntries(counts) },
  });
}
