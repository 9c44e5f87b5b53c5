import { createInterface } from 'node:readline/promises';
import { HxError } from '../base/errors.js';
import { type CliContext, isTerminal } from './context.js';

/** Whether somebody can answer: on a terminal. */
export function canAsk(context: CliContext): boolean {
  return isTerminal(context.stdin) && isTerminal(context.stderr);
}

/**
 * Asks a yes-or-no question where somebody can answer. Anything but yes means no.
 * @returns undefined where nobody can, so that the caller asks for a flag instead.
 */
export async function askYesNo(question: string, context: CliContext): Promise<boolean | undefined> {
  if (!canAsk(context)) return undefined;
  return /^y(es)?$/i.test(await askText(`${question} [y/N]`, context));
}

/**
 * Asks for a word; only where canAsk says so. Ctrl-D answers nothing.
 * @throws HxError `interrupted` after Ctrl-C, and the signal's reason.
 */
export async function askText(question: string, context: CliContext): Promise<string> {
  const { stdin, stderr, signal } = context;
  const reader = createInterface({ input: stdin, output: stderr });
  // The terminal sends neither as a signal here, and an unanswered question would be left for ever.
  let answered = false;
  const left = new Promise<string>((resolve, reject) => {
    const leave = (settle: () => void) => () => {
      if (answered) return;
      stderr.write('\n');
      settle();
    };
    reader.once(
      'SIGINT',
      leave(() => reject(new HxError('interrupted', 'Interrupted.'))),
    );
    reader.once(
      'close',
      leave(() => resolve('')),
    );
  });
  try {
    return (await Promise.race([reader.question(`${question} `, { signal }), left])).trim();
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    answered = true;
    reader.close();
  }
}
