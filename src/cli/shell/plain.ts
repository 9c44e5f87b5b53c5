import { createInterface } from 'node:readline';
import { toHxError } from '../../base/errors.js';
import type { QuerySession } from '../../handlers/query-session.js';
import type { CliContext } from '../context.js';
import { streamWriter } from '../output.js';
import { renderError } from '../render/error.js';
import type { TextFormat } from '../render/formats/index.js';
import type { Paint } from '../render/style.js';
import { CONTINUATION, PROMPT } from './editor/layout.js';
import { isComplete } from './entry.js';
import type { History } from './history.js';
import { Interpreter } from './interpreter.js';

const WIDTH = 80;

/** The shell where the terminal can only print lines: a prompt and the terminal's own line editing. Ctrl-C leaves. */
export async function runPlainShell(
  session: QuerySession,
  history: History,
  context: CliContext,
  { paint, debug, format }: { readonly paint: Paint; readonly debug: boolean; readonly format: TextFormat },
): Promise<void> {
  const { signal, stdin, stdout, folder } = context;
  const print = streamWriter(stdout, signal);
  const interpreter = new Interpreter({ session, folder, paint, print, debug, format, width: () => WIDTH });
  const lines = createInterface({ input: stdin, terminal: false, signal });
  let text = '';
  await print(PROMPT);
  for await (const line of lines) {
    text += text === '' ? line : `\n${line}`;
    if (isComplete(text)) {
      await history.add(text).catch((error: unknown) => print(renderError(toHxError(error), paint, debug)));
      await interpreter.execute(text, signal);
      text = '';
    }
    if (interpreter.left || signal.aborted) break;
    await print(text === '' ? PROMPT : CONTINUATION);
  }
  lines.close();
  // The input has ended beside a prompt.
  if (!interpreter.left && !signal.aborted) await print('\n');
  signal.throwIfAborted();
}
