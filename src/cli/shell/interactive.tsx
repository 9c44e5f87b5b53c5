import type { ReadStream, WriteStream } from 'node:tty';
import { type Instance, render } from 'ink';
import { toHxError } from '../../base/errors.js';
import type { QuerySession } from '../../handlers/query-session.js';
import { renderError } from '../render/error.js';
import { escapeControls } from '../render/escape.js';
import type { Paint } from '../render/style.js';
import { editedBy } from './bindings.js';
import { commonStart, completionFor, inColumns } from './completion.js';
import { deleteTo, type Editor, EMPTY, editorOf, insert, moveLine, replaceBefore } from './editor.js';
import type { History } from './history.js';
import { Interpreter, isComplete } from './interpreter.js';
import type { Key } from './keys.js';
import { CONTINUATION, layoutEditor, PROMPT } from './layout.js';
import { Prompt, type View } from './prompt.js';
import { Terminal } from './terminal.js';

/** Rows drawn live at most: Ink redraws all of them at every key, and must never fill the window. */
const LIVE_ROWS = 12;
/** How often the line about a running statement is redrawn, and how long one runs before it appears. */
const STATUS_EVERY_MS = 200;
const CANDIDATES_SHOWN = 60;

export interface InteractiveOptions {
  readonly session: QuerySession;
  readonly history: History;
  readonly stdin: ReadStream;
  readonly stdout: WriteStream;
  readonly folder: string;
  readonly paint: Paint;
  readonly signal: AbortSignal;
  readonly debug: boolean;
}

/** The shell on a terminal: Ink draws what is being typed, results go above it into the scrollback. */
export class InteractiveShell {
  private readonly options: InteractiveOptions;
  private readonly interpreter: Interpreter;
  private readonly terminal: Terminal;
  private readonly finished: Promise<void>;
  private finish: () => void = () => {};
  private ink: Instance | undefined;
  private writeAbove: (text: string) => void = () => {};
  private editor: Editor = EMPTY;
  /** Which entry of the history is shown: 0 is the newest, -1 what is being typed. */
  private age = -1;
  private draft: Editor = EMPTY;
  private queue: Key[] = [];
  private pumping = false;
  private closed = false;
  private running: { readonly controller: AbortController; readonly startedAtMs: number } | undefined;

  constructor(options: InteractiveOptions) {
    this.options = options;
    const { session, folder, paint, stdin, stdout, debug } = options;
    this.finished = new Promise((resolve) => {
      this.finish = resolve;
    });
    this.interpreter = new Interpreter({
      session,
      folder,
      paint,
      debug,
      width: () => stdout.columns,
      print: async (text) => this.writeAbove(text),
    });
    this.terminal = new Terminal(stdin, stdout, (keys) => this.receive(keys));
  }

  /** Runs until `.exit`, Ctrl-D or the signal, and leaves the terminal as it was. */
  async run(): Promise<void> {
    const { stdin, stdout, signal } = this.options;
    const leave = () => {
      this.running?.controller.abort();
      this.finish();
    };
    signal.addEventListener('abort', leave, { once: true });
    stdin.once('end', leave);
    stdin.once('error', leave);
    stdout.on('resize', this.draw);
    try {
      this.terminal.open();
      this.ink = render(this.element(), { stdin, stdout, exitOnCtrlC: false, patchConsole: false });
      await this.finished;
    } finally {
      stdout.removeListener('resize', this.draw);
      signal.removeEventListener('abort', leave);
      stdin.removeListener('end', leave);
      stdin.removeListener('error', leave);
      this.closed = true;
      this.draw();
      this.ink?.unmount();
      this.terminal.close();
    }
  }

  private receive(keys: Key[]): void {
    for (const key of keys) {
      if (key.type === 'interrupt' && this.running !== undefined) {
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
    const edited = editedBy(this.editor, key);
    if (edited !== undefined) this.editor = edited;
    else if (key.type === 'enter') await this.enter();
    else if (key.type === 'up' || key.type === 'down') this.upOrDown(key.type);
    else if (key.type === 'tab') await this.complete();
    else if (key.type === 'interrupt') this.clearLine();
    else if (key.type === 'clearScreen') this.options.stdout.write('\u001b[2J\u001b[H');
    else if (key.type === 'endOfInput') this.endOfInput();
  }

  private async enter(): Promise<void> {
    const { text } = this.editor;
    if (!isComplete(text)) {
      this.editor = insert(this.editor, '\n');
      return;
    }
    this.echo(text);
    this.edit(EMPTY);
    if (text.trim() === '') return;
    await this.execute(text);
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
      this.draw();
    }
  }

  /** Leaves what was entered in the scrollback, as if the prompt had stayed there. */
  private echo(text: string): void {
    const { paint } = this.options;
    const lines = text.split('\n').map((line, index) => {
      return `${paint('cyan', index === 0 ? PROMPT : CONTINUATION)}${escapeControls(line)}\n`;
    });
    this.writeAbove(lines.join(''));
  }

  private clearLine(): void {
    if (this.editor.text !== '') this.echo(`${this.editor.text}^C`);
    this.edit(EMPTY);
  }

  private endOfInput(): void {
    if (this.editor.text === '') this.interpreter.left = true;
    else this.editor = deleteTo(this.editor, 'right');
  }

  private upOrDown(direction: 'up' | 'down'): void {
    const moved = moveLine(this.editor, direction);
    if (moved !== undefined) {
      this.editor = moved;
      return;
    }
    const age = this.age + (direction === 'up' ? 1 : -1);
    if (age < -1 || age >= this.options.history.length) return;
    if (this.age === -1) this.draft = this.editor;
    this.age = age;
    this.editor = age === -1 ? this.draft : editorOf(this.options.history.at(age) ?? '');
  }

  private async complete(): Promise<void> {
    const { text, cursor } = this.editor;
    const { session, stdout, paint } = this.options;
    const { replaced, candidates } = await completionFor(session, text.slice(0, cursor));
    const common = commonStart(candidates);
    const [only, ...others] = candidates;
    if (only === undefined) return;
    if (others.length === 0) this.editor = replaceBefore(this.editor, replaced, `${only} `);
    else if (common.length > replaced) this.editor = replaceBefore(this.editor, replaced, common);
    else this.writeAbove(paint('dim', inColumns(candidates.slice(0, CANDIDATES_SHOWN), stdout.columns)));
  }

  private edit(editor: Editor): void {
    this.editor = editor;
    this.age = -1;
    this.draft = EMPTY;
  }

  /** What fails beside the statement itself, such as the history's disk, is said and the shell goes on. */
  private readonly report = (error: unknown): void => {
    this.writeAbove(renderError(toHxError(error), this.options.paint, this.options.debug));
  };

  private readonly draw = (): void => {
    this.ink?.rerender(this.element());
  };

  private readonly setWriter = (write: (text: string) => void): void => {
    this.writeAbove = write;
  };

  private element() {
    return <Prompt view={this.view()} paint={this.options.paint} onReady={this.setWriter} />;
  }

  private view(): View {
    if (this.closed) return { type: 'closed' };
    if (this.running === undefined) {
      const { columns, rows } = this.options.stdout;
      const maxRows = Math.max(1, Math.min(LIVE_ROWS, rows - 3));
      return { type: 'editing', layout: layoutEditor(this.editor, columns, maxRows) };
    }
    const elapsedMs = performance.now() - this.running.startedAtMs;
    if (elapsedMs < STATUS_EVERY_MS) return { type: 'running', status: '' };
    return { type: 'running', status: `running ${(elapsedMs / 1_000).toFixed(1)} s, Ctrl-C stops it` };
  }
}
