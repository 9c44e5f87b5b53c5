import process from 'node:process';
import type { ReadStream, WriteStream } from 'node:tty';
import { toHxError } from '../../base/errors.js';
import type { QuerySession } from '../../handlers/query-session.js';
import { columnsOf, rowsOf } from '../context.js';
import { renderError } from '../render/error.js';
import type { TextFormat } from '../render/formats/index.js';
import type { Paint } from '../render/style.js';
import { loadVocabulary, type Vocabulary } from './completion/vocabulary.js';
import { Composer } from './composer.js';
import { Highlighter } from './editor/highlighter.js';
import type { Key } from './editor/keys.js';
import { CONTINUATION, PROMPT } from './editor/layout.js';
import { Terminal } from './editor/terminal.js';
import type { History } from './history.js';
import { Interpreter, type PagedResult } from './interpreter.js';
import type { Frame } from './live/frame.js';
import { LiveArea } from './live/live-area.js';
import { Pager } from './pager/pager.js';
import { RowBuffer } from './pager/row-buffer.js';

/** How often the line about a running statement is redrawn, and how long one runs before it appears. */
const STATUS_EVERY_MS = 200;

/** How long a stop may take to reach us. */
const RESUME_AFTER_MS = 50;

const NO_VOCABULARY: Vocabulary = { tables: [], functions: [] };

export interface InteractiveOptions {
  readonly session: QuerySession;
  readonly history: History;
  readonly stdin: ReadStream;
  readonly stdout: WriteStream;
  readonly folder: string;
  readonly paint: Paint;
  readonly signal: AbortSignal;
  readonly debug: boolean;
  readonly reflows: boolean;
  readonly format: TextFormat;
  /** Printed first. */
  readonly greeting: string;
}

/** The shell on a terminal: Ink draws what is being typed, results go above it into the scrollback or a pager. */
export class InteractiveShell {
  private readonly options: InteractiveOptions;
  private readonly interpreter: Interpreter;
  private readonly composer: Composer;
  private readonly terminal: Terminal;
  private readonly live: LiveArea;
  private readonly highlighter: Highlighter;
  private readonly vocabulary: Promise<Vocabulary>;
  private readonly closing = new AbortController();
  private readonly finished: Promise<void>;
  private finish: () => void = () => {};
  private pager: Pager | undefined;
  private queue: Key[] = [];
  private pumping = false;
  private running: { readonly controller: AbortController; readonly startedAtMs: number } | undefined;

  constructor(options: InteractiveOptions) {
    this.options = options;
    const { session, history, folder, paint, stdin, stdout, debug, reflows, format } = options;
    this.finished = new Promise((resolve) => {
      this.finish = resolve;
    });
    this.live = new LiveArea({ stdin, stdout, reflows });
    this.highlighter = new Highlighter(paint);
    // Completing is a courtesy: an engine that fails says so at the first statement.
    this.vocabulary = loadVocabulary(session, this.closing.signal).catch(() => NO_VOCABULARY);
    const { vocabulary } = this;
    this.composer = new Composer({ session, history, folder, paint, vocabulary });
    this.interpreter = new Interpreter({
      ...{ session, folder, paint, debug, format },
      width: () => columnsOf(stdout),
      print: async (text) => this.live.print(text),
      pager: { windowRows: () => rowsOf(stdout), page: (result, signal) => this.page(result, signal) },
    });
    this.terminal = new Terminal(stdin, stdout, (keys) => this.receive(keys));
  }

  /** Runs until `.exit`, Ctrl-D or the signal, and leaves the terminal as it was. */
  async run(): Promise<void> {
    const { stdin, stdout, signal, greeting } = this.options;
    const leave = () => {
      this.running?.controller.abort();
      this.finish();
    };
    signal.addEventListener('abort', leave, { once: true });
    stdin.once('end', leave);
    stdin.once('error', leave);
    stdout.on('resize', this.resize);
    try {
      stdout.write(greeting);
      this.terminal.open();
      this.draw();
      await this.finished;
    } finally {
      stdout.removeListener('resize', this.resize);
      signal.removeEventListener('abort', leave);
      stdin.removeListener('end', leave);
      stdin.removeListener('error', leave);
      this.closing.abort();
      this.live.erase();
      this.terminal.close();
      // The engine must not be closed under a statement of ours.
      await this.vocabulary;
    }
  }

  private receive(keys: Key[]): void {
    for (const key of keys) {
      if (key.type === 'suspend') this.suspend();
      else if (this.pager !== undefined) this.pager.press(key);
      else if (key.type === 'interrupt' && this.running !== undefined) {
        this.running.controller.abort();
        this.queue = [];
      } else this.queue.push(key);
    }
    void this.pump();
  }

  /** Handles keys one after the other; those typed while a statement runs wait for its end. */
  private async pump(): Promise<void> {
    if (this.pumping) return;
    this.pumping = true;
    for (let key = this.queue.shift(); key !== undefined; key = this.queue.shift()) {
      await this.handle(key).catch(this.report);
      if (this.interpreter.left) this.queue = [];
    }
    this.pumping = false;
    if (this.interpreter.left) this.finish();
    else this.draw();
  }

  private async handle(key: Key): Promise<void> {
    const outcome = await this.composer.press(key);
    if (outcome.type === 'leave') this.leave();
    else if (outcome.type === 'clearScreen') this.clearScreen();
    else if (outcome.type === 'discard') this.echo(`${outcome.text}^C`);
    else if (outcome.type === 'submit') {
      this.echo(outcome.text);
      if (outcome.text.trim() !== '') await this.execute(outcome.text);
    }
  }

  private leave(): void {
    this.echo('');
    this.interpreter.leave();
  }

  private async execute(text: string): Promise<void> {
    const controller = new AbortController();
    this.running = { controller, startedAtMs: performance.now() };
    const redraw = setInterval(this.draw, STATUS_EVERY_MS);
    this.draw();
    try {
      await this.options.history.add(text).catch(this.report);
      await this.interpreter.execute(text, controller.signal);
    } finally {
      clearInterval(redraw);
      this.running = undefined;
    }
  }

  private async page({ columns, reader, cellLimit }: PagedResult, signal: AbortSignal): Promise<RowBuffer> {
    const { stdout, paint } = this.options;
    const buffer = new RowBuffer(reader);
    this.live.erase();
    this.pager = new Pager({ columns, buffer, stdout, paint, cellLimit });
    try {
      await this.pager.run(signal);
    } finally {
      this.pager = undefined;
    }
    return buffer;
  }

  /** Leaves what was entered in the scrollback, as if the prompt had stayed there. */
  private echo(text: string): void {
    const { paint } = this.options;
    let start = 0;
    const lines = text.split('\n').map((line, index) => {
      const shown = this.highlighter.slice(text, start, start + line.length);
      start += line.length + 1;
      return `${paint('cyan', index === 0 ? PROMPT : CONTINUATION)}${shown}\n`;
    });
    this.live.erase();
    this.live.print(lines.join(''));
  }

  /** Gives the terminal back to whatever started the shell, until that lets it go on. */
  private suspend(): void {
    if (process.platform === 'win32') return;
    this.live.erase();
    this.pager?.hide(true);
    this.terminal.close();
    // The whole job, as Ctrl-Z does elsewhere: a wrapper such as npx stops with it.
    process.kill(0, 'SIGTSTP');
    // It runs once the job goes on, or at once where nothing can stop it, as there is no shell to come back from.
    setTimeout(() => {
      // It may have been told to end while it was stopped.
      if (this.closing.signal.aborted) return;
      this.terminal.open();
      this.pager?.hide(false);
      this.draw();
    }, RESUME_AFTER_MS);
  }

  private clearScreen(): void {
    this.live.erase();
    this.options.stdout.write('\u001b[2J\u001b[H');
  }

  private readonly resize = (): void => {
    if (this.pager !== undefined) return;
    this.live.erase();
    this.draw();
  };

  /** What fails beside the statement itself, such as the history's disk, is said and the shell goes on. */
  private readonly report = (error: unknown): void => {
    this.live.print(renderError(toHxError(error), this.options.paint, this.options.debug));
  };

  private readonly draw = (): void => {
    if (this.pager === undefined && !this.interpreter.left) this.live.draw(this.frame());
  };

  private frame(): Frame {
    const { stdout } = this.options;
    const [columns, rows] = [columnsOf(stdout), rowsOf(stdout)];
    if (this.running === undefined) return this.composer.frame(columns, rows);
    const elapsedMs = performance.now() - this.running.startedAtMs;
    if (elapsedMs < STATUS_EVERY_MS) return { rows: [' '] };
    const status = `running ${(elapsedMs / 1_000).toFixed(1)} s, Ctrl-C stops it`;
    return { rows: [this.options.paint('dim', status.slice(0, Math.max(1, columns - 1)))] };
  }
}
