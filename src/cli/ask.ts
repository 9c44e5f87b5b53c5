import { createInterface } from 'node:readline/promises';
import { type CliContext, isTerminal } from './context.js';

/**
 * Asks a yes-or-no question where somebody can answer: on a terminal. Anything but yes means no.
 * @returns undefined where nobody can, so that the caller asks for a flag instead.
 */
export async function askYesNo(question: string, context: CliContext): Promise<boolean | undefined> {
  if (!isTerminal(context.stdin) || !isTerminal(context.stderr)) return undefined;
  const reader = createInterface({ input: context.stdin, output: context.stderr });
  try {
    const answer = await reader.question(`${question} [y/N] `, { signal: context.signal });
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    reader.close();
  }
}
