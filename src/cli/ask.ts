import { createInterface } from 'node:readline/promises';
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

/** Asks for a word; only where canAsk says so. */
export async function askText(question: string, context: CliContext): Promise<string> {
  const reader = createInterface({ input: context.stdin, output: context.stderr });
  try {
    return (await reader.question(`${question} `, { signal: context.signal })).trim();
  } finally {
    reader.close();
  }
}
