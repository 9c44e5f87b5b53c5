import { HxError } from '../base/errors.js';

/**
 * The error of work that was interrupted or stopped, with what is kept of it.
 * @param kept as a sentence.
 * @returns any other error as it is, and one that is to be silent too: nobody reads any more.
 */
export function withWhatIsKept(
  error: HxError,
  kept: string,
  facts: Readonly<Record<string, unknown>>,
): HxError {
  const { code, message } = error;
  if ((code !== 'interrupted' && code !== 'stopped') || message === '') return error;
  return new HxError(code, `${message} ${kept}`, {
    cause: error,
    hint: error.hint ?? 'Run the same command again to carry on from there.',
    facts: { ...error.facts, ...facts },
  });
}
