import { isAbsolute, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { HxError, toHxError } from '../../base/errors.js';
import type { QuerySession, Statement } from '../../handlers/query-session.js';
import { drainRendering, type WriteText } from '../output.js';
import { TERMINAL_ROWS, writeResults } from '../query/print.js';
import { parseParameters, statementsFor } from '../query/request.js';
import { renderError } from '../render/error.js';
import {
  type Format,
  formatOfFile,
  renderResult,
  rowCount,
  shownNote,
  type TextFormat,
} from '../render/formats/index.js';
import type { Paint } from '../render/style.js';
import { splitSql } from '../sql/lexer.js';
import { runDotCommand } from './dot-commands.js';

export interface InterpreterOptions {
  readonly session: QuerySession;
  /** Where relative file names refer to. */
  readonly folder: string;
  readonly paint: Paint;
  /** Prints text that ends in a line break. */
  readonly print: WriteText;
  /** Columns of the terminal right now. */
  readonly width: () => number;
  readonly debug: boolean;
}

/** Carries out what was entered in a shell, and remembers its modes. Never throws: errors are printed. */
export class Interpreter {
  readonly options: InterpreterOptions;
  mode: TextFormat = 'table';
  timer = false;
  /** The file that the next result goes to instead of the terminal. */
  output: string | undefined;
  /** Set once `.exit` was entered. */
  left = false;

  constructor(options: InterpreterOptions) {
    this.options = options;
  }

  /** Runs what was entered until it ends, fails or the signal is aborted. */
  async execute(entered: string, signal: AbortSignal): Promise<void> {
    const text = entered.trim();
    try {
      if (text === '') return;
      if (text.startsWith('.')) await runDotCommand(this, text, signal);
      else if (/^(exit|quit)\s*;?$/i.test(text)) this.left = true;
      else if (text.startsWith('@')) await this.runReady(text, signal);
      else await this.runSql(text, signal);
    } catch (error) {
      const { paint, debug, print } = this.options;
      const known = signal.aborted ? new HxError('interrupted', 'Interrupted.') : toHxError(error);
      await print(renderError(known, paint, debug));
    }
  }

  async runSql(sql: string, signal: AbortSignal): Promise<void> {
    for (const statement of statementsFor(this.options.session, sql, {})) await this.run(statement, signal);
  }

  /** An absolute path for a name as it was typed. */
  resolve(path: string): string {
    return isAbsolute(path) ? path : join(this.options.folder, path);
  }

  /** `@name parameter=value ...` */
  private async runReady(text: string, signal: AbortSignal): Promise<void> {
    const [name = '', ...flags] = text.replace(/\s*;$/, '').slice(1).split(/\s+/);
    await this.run(this.options.session.ready(name, parseParameters(flags)), signal);
  }

  private async run(statement: Statement, signal: AbortSignal): Promise<void> {
    const startedAtMs = performance.now();
    const { print, paint } = this.options;
    const file = this.output;
    if (file === undefined) await this.show(statement, signal);
    else {
      this.output = undefined;
      const format: Format = formatOfFile(file);
      await writeResults(this.options.session, [statement], format, file, signal);
      await print(`${paint('dim', `Wrote ${file}.`)}\n`);
    }
    if (this.timer) await print(`${paint('dim', `Time: ${duration(performance.now() - startedAtMs)}`)}\n`);
  }

  private async show(statement: Statement, signal: AbortSignal): Promise<void> {
    const { session, paint, print, width } = this.options;
    const result = await session.run(statement, signal);
    const sheet = { width: width(), rowLimit: TERMINAL_ROWS, paint };
    const shown = await drainRendering(renderResult(this.mode, result, sheet), async (text) => {
      signal.throwIfAborted();
      await print(text);
      // Gives the keyboard its turn, so that Ctrl-C works in the middle of a long print-out.
      await nextTurn();
    });
    const note = shownNote(shown, 'All of it: .mode csv or .output FILE.');
    if (note !== undefined) await print(`${paint('dim', note)}\n`);
    else if (this.mode === 'table') await print(`${paint('dim', rowCount(shown.shown))}\n`);
  }
}

/** Whether what was entered so far can be carried out, or goes on in the next line. */
export function isComplete(text: string): boolean {
  const trimmed = text.trim();
  if (trimmed === '' || /^[.@]/.test(trimmed) || /^(exit|quit)$/i.test(trimmed)) return true;
  const { complete, rest } = splitSql(text);
  return complete.length > 0 && rest === '';
}

function duration(milliseconds: number): string {
  return milliseconds < 1_000 ? `${milliseconds.toFixed(0)} ms` : `${(milliseconds / 1_000).toFixed(2)} s`;
}
