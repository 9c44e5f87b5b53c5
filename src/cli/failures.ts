import type { HxError } from '../base/errors.js';

/**
 * The exit code of a command of which parts failed.
 * @param isAll whether nothing else has a result.
 * @returns 0 when none failed, 130 when one was interrupted, 4 when limits alone stopped them, as the same command
 *   carries on whatever it has by now; the code that all failures share when there is nothing beside them; otherwise
 *   1: the command has found something.
 */
export function exitCodeOf(failures: readonly HxError[], isAll: boolean): number {
  const interrupted = failures.find(({ code }) => code === 'interrupted');
  if (interrupted !== undefined) return interrupted.exitCode;
  const [exitCode = 0, ...others] = new Set(failures.map((failure) => failure.exitCode));
  const isResumable = failures.every(({ code }) => code === 'stopped');
  return isResumable || (isAll && others.length === 0) ? exitCode : 1;
}
