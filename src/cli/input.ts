import { isAbsolute, join } from 'node:path';
import { HxError, messageOf } from '../base/errors.js';
import { decodeText, readTextFile, whyUnreadable } from '../base/text-file.js';
import type { CliContext } from './context.js';

/** The file name that means standard input. */
export const STANDARD_INPUT = '-';

/**
 * Reads all of a file, or of standard input when the name is `-`, as UTF-8.
 * @throws HxError `usage` naming the file.
 */
export async function readInput(name: string, context: CliContext): Promise<string> {
  try {
    if (name === STANDARD_INPUT) {
      const chunks: Buffer[] = [];
      for await (const chunk of context.stdin) chunks.push(Buffer.from(chunk));
      return decodeText(Buffer.concat(chunks));
    }
  } catch (error) {
    throw unreadable(name, error, INPUT_HINT);
  }
  return readFileOf(context.folder, name, INPUT_HINT);
}

const INPUT_HINT = 'Give the path of a text file, or - for standard input.';

/**
 * Reads all of a file as UTF-8.
 * @param folder where a relative name begins.
 * @throws HxError `usage` naming the file.
 */
export async function readFileOf(
  folder: string,
  name: string,
  hint = 'Give the path of a text file.',
): Promise<string> {
  try {
    return await readTextFile(isAbsolute(name) ? name : join(folder, name));
  } catch (error) {
    throw unreadable(name, error, hint);
  }
}

function unreadable(name: string, cause: unknown, hint: string): HxError {
  return new HxError('usage', `Cannot read ${inputName(name)}: ${whyUnreadable(cause)}.`, {
    cause,
    hint,
  });
}

/** What a file is called in messages. */
export function inputName(name: string): string {
  return name === STANDARD_INPUT ? 'standard input' : name;
}

/** One line of a JSONL text: its value, or why it has none. */
export type JsonLine =
  | { readonly line: number; readonly value: unknown; readonly problem?: never }
  | { readonly line: number; readonly value?: never; readonly problem: string };

/** Reads JSON Lines; blank lines are passed over, lines count from 1. */
export function readJsonLines(text: string): JsonLine[] {
  const lines: JsonLine[] = [];
  text.split(/\r?\n/).forEach((content, index) => {
    if (content.trim() === '') return;
    try {
      lines.push({ line: index + 1, value: JSON.parse(content) });
    } catch (error) {
      lines.push({ line: index + 1, problem: messageOf(error) });
    }
  });
  return lines;
}

/** A claim given on the command line; `-` reads it from standard input. */
export async function claimArgument(argument: string, context: CliContext): Promise<string> {
  return argument === STANDARD_INPUT ? readInput(STANDARD_INPUT, context) : argument;
}
