import { HxError } from './errors.js';

export const MILLISECONDS_PER_DAY = 86_400_000;

/** What tells the time; tests pass their own. */
export interface Clock {
  now(): Date;
  /** Milliseconds since an arbitrary start; never goes backwards. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
};

/** The UTC date of an instant, `YYYY-MM-DD`: the name of its partition. */
export function utcDate(instant: Date): string {
  return instant.toISOString().slice(0, 10);
}

/**
 * Reads a UTC date `YYYY-MM-DD` that exists in the calendar.
 * @returns the first instant of that day.
 * @throws HxError `usage` naming the option.
 */
export function parseUtcDate(text: string, option: string): Date {
  if (!isUtcDate(text)) {
    throw new HxError('usage', `${option} "${text}" is not a date.`, {
      hint: 'Write a UTC date as YYYY-MM-DD, for example 2026-11-01.',
    });
  }
  return startOf(text);
}

/** Whether a text is a date `YYYY-MM-DD` that exists in the calendar, which has no year 0. */
export function isUtcDate(text: string): boolean {
  const instant = startOf(text);
  return (
    /^(?!0000)\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(instant.getTime()) && utcDate(instant) === text
  );
}

function startOf(date: string): Date {
  return new Date(`${date}T00:00:00.000Z`);
}

/**
 * Waits.
 * @throws the signal's reason (an AbortError by default) when aborted before the time is over.
 */
export function sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, durationMs);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
