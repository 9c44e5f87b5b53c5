import { setImmediate as nextTurn } from 'node:timers/promises';
import { HxError, toHxError } from '../../base/errors.js';
import type { QuerySession, Statement } from '../../handlers/query-session.js';
import { readFileOf } from '../input.js';
import { drainRendering, type WriteText } from '../output.js';
import { TERMINAL_ROWS, writeResults } from '../query/print.js';
import { statementsFor } from '../query/request.js';
import { renderError } from '../render/error.js';
import { gridWidths, isPlan } from '../render/formats/grid.js';
import { formatOfFile, renderResult, rowCount, shownNote, type TextFormat } from '../render/formats/index.js';
import type { Column } from '../render/formats/result.js';
import { RowReader } from '../render/formats/row-reader.js';
import type { Paint } from '../render/style.js';
import { canFit } from '../render/table.js';
import { type CommandHost, runDotCommand } from './dot-commands.js';
import { partsOf } from './entry.js';
import { typedPath } from './file-path.js';
import { LastResult } from './last-result.js';
import { initialModes, type Modes } from './modes.js';
import type { RowBuffer } from './pager/row-buffer.js';

/** Lines around a table that have to fit the window with it: header, rule, row count, prompt. */
const LINES_BESIDES_ROWS = 4;
/** Rows that stay in the scrollback of a table that was paged, as a reminder of its columns. */
const ROWS_LEFT_BEHIND = 5;
/** How deep files may `.read` each other: one that reads itself would never end. */
const MAX_FILES_OPEN = 20;
const HOW_TO_GET_ALL = 'All of it: .mode csv or .output FILE.';

/** A result that is too large for the window; whoever gets it closes the reader. */
export interface PagedResult {
  readonly columns: readonly Column[];
  readonly reader: RowReader;
  readonly cellLimit: number | undefined;
}

/** A terminal that can show a result in a screen of its own. */
export interface PagerHost {
  /** Rows of the window right now. */
  readonly windowRows: () => number;
  /** Shows the result until the reader leaves it; returns what was read of it. */
  page(result: PagedResult, signal: AbortSignal): Promise<RowBuffer>;
}

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
  /** The mode to begin with. */
  readonly format: TextFormat;
  /** Absent where nothing can be paged: the first rows of a large table are printed then. */
  readonly pager?: PagerHost;
}

/** Carries out what was entered in a shell, and remembers its modes. Never throws: errors are printed. */
export class Interpreter implements CommandHost {
  readonly session: QuerySession;
  readonly paint: Paint;
  readonly print: WriteText;
  readonly width: () => number;
  readonly modes: Modes;
  private readonly options: InterpreterOptions;
  private readonly lastResult = new LastResult();
  private hasLeft = false;
  private filesOpen = 0;

  constructor(options: InterpreterOptions) {
    this.options = options;
    this.session = options.session;
    this.paint = options.paint;
    this.print = options.print;
    this.width = options.width;
    this.modes = initialModes(options.format);
  }

  /** Set once `.exit` was entered. */
  get left(): boolean {
    return this.hasLeft;
  }

  leave(): void {
    this.hasLeft = true;
  }

  /** Runs what was entered until it ends, fails or the signal is aborted. */
  async execute(entered: string, signal: AbortSignal): Promise<void> {
    try {
      await this.runText(entered, signal);
    } catch (error) {
      const known = signal.aborted ? new HxError('interrupted', 'Interrupted.') : toHxError(error);
      await this.print(renderError(known, this.paint, this.options.debug));
    }
  }

  async runFile(name: string, signal: AbortSignal): Promise<void> {
    if (this.filesOpen >= MAX_FILES_OPEN) {
      throw new HxError('usage', `${MAX_FILES_OPEN} files read each other, the last of them ${name}.`, {
        hint: 'Take the .read out of a file that is read by what it reads.',
      });
    }
    const text = await this.readFile(name);
    this.filesOpen += 1;
    try {
      await this.runText(text, signal);
    } finally {
      this.filesOpen -= 1;
    }
  }

  private readonly readFile = (name: string): Promise<string> => {
    const home = /^~(\/|$)/.test(name) ? this.resolve(name) : name;
    return readFileOf(this.options.folder, home);
  };

  private async runText(text: string, signal: AbortSignal): Promise<void> {
    for (const { kind, text: part } of partsOf(text)) {
      signal.throwIfAborted();
      if (kind === 'exit') this.leave();
      else if (kind === 'dot') await runDotCommand(this, part.trim(), signal);
      else await this.runStatements(part, signal);
      if (this.left) return;
    }
  }

  private async runStatements(text: string, signal: AbortSignal): Promise<void> {
    const { session, readFile } = this;
    const statements = await statementsFor({ session, readFile }, text, {});
    for (const statement of statements) await this.run(statement, signal);
  }

  /** An absolute path for a name as it was typed. */
  resolve(path: string): string {
    return typedPath(this.options.folder, path);
  }

  private async run(entered: Statement, signal: AbortSignal): Promise<void> {
    const startedAtMs = performance.now();
    const statement = this.lastResult.resolve(entered);
    const file = this.modes.output;
    if (file === undefined) await this.show(statement, signal, startedAtMs);
    else {
      this.modes.output = undefined;
      await writeResults(this.session, [statement], formatOfFile(file), file, signal);
      await this.tell(`Wrote ${file}.`, performance.now() - startedAtMs);
    }
    this.lastResult.keep(statement);
  }

  private async show(statement: Statement, signal: AbortSignal, startedAtMs: number): Promise<void> {
    const { columns, chunks } = await this.session.run(statement, signal);
    const reader = new RowReader(chunks);
    try {
      if (await this.isPaged(columns, reader)) await this.page(columns, reader, signal, startedAtMs);
      else await this.printRows(columns, reader, signal, startedAtMs);
    } finally {
      await reader.close();
    }
  }

  private async printRows(
    columns: readonly Column[],
    reader: RowReader,
    signal: AbortSignal,
    startedAtMs: number,
  ): Promise<void> {
    const { format } = this.modes;
    const rendering = renderResult(format, { columns, chunks: reader.rest() }, this.sheet());
    const shown = await drainRendering(rendering, async (text) => {
      signal.throwIfAborted();
      await this.print(text);
      // Gives the keyboard its turn, so that Ctrl-C works in the middle of a long print-out.
      await nextTurn();
    });
    const note = shownNote(shown, HOW_TO_GET_ALL);
    const isTable = format === 'table' && !isPlan(columns);
    const isWhole = shown.rows === shown.shown;
    const count = isTable && isWhole ? rowCount(shown.shown) : '';
    const text = [count, note ?? ''].filter((part) => part !== '').join('; ');
    await this.tell(text, performance.now() - startedAtMs);
  }

  private async page(
    columns: readonly Column[],
    reader: RowReader,
    signal: AbortSignal,
    startedAtMs: number,
  ): Promise<void> {
    const elapsedMs = performance.now() - startedAtMs;
    const pager = this.options.pager as PagerHost;
    const { rows, state, error } = await pager.page(
      { columns, reader, cellLimit: this.modes.cellWidth },
      signal,
    );
    if (state === 'failed') throw error;
    const head = rows.slice(0, ROWS_LEFT_BEHIND);
    const widths = gridWidths(columns, head, this.modes.cellWidth);
    if (canFit(widths, this.width())) {
      const result = { columns, chunks: new RowReader(chunksOf(head)).rest() };
      await drainRendering(renderResult('table', result, this.sheet()), this.print);
    }
    const count = rowCount(rows.length).replace(' ', state === 'complete' ? ' ' : '+ ');
    const width = `${columns.length} ${columns.length === 1 ? 'column' : 'columns'}`;
    await this.tell(`${count}, ${width}, shown in the pager`, elapsedMs);
  }

  /** Whether a table opens in the pager; the rows looked at are put back. */
  private async isPaged(columns: readonly Column[], reader: RowReader): Promise<boolean> {
    const { format, pager: mode, cellWidth } = this.modes;
    const { pager } = this.options;
    if (pager === undefined || format !== 'table' || mode === 'off' || isPlan(columns)) return false;
    const room = Math.max(1, pager.windowRows() - LINES_BESIDES_ROWS);
    const rows = await reader.take(room + 1);
    reader.putBack(rows);
    if (rows.length === 0) return false;
    if (mode === 'always' || rows.length > room) return true;
    if (canFit(gridWidths(columns, rows, cellWidth), this.width())) return false;
    // As records, a row takes a line for each column.
    return rows.length * (columns.length + 1) > room + 1;
  }

  private sheet() {
    return {
      width: this.width(),
      rowLimit: TERMINAL_ROWS,
      cellLimit: this.modes.cellWidth,
      paint: this.paint,
    };
  }

  private async tell(note: string, elapsedMs: number): Promise<void> {
    const time = this.modes.timer ? `Time: ${duration(elapsedMs)}` : '';
    const text = [note, time].filter((part) => part !== '').join('  ');
    if (text !== '') await this.print(`${this.paint('dim', text)}\n`);
  }
}

async function* chunksOf(rows: unknown[][]): AsyncGenerator<unknown[][]> {
  yield rows;
}

function duration(milliseconds: number): string {
  return milliseconds < 1_000 ? `${milliseconds.toFixed(0)} ms` : `${(milliseconds / 1_000).toFixed(2)} s`;
}
