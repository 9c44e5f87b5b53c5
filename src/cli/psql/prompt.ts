import { createInterface, type Interface } from 'node:readline';
import { toHxError } from '../../base/errors.js';
import type { SqlSession } from '../../handlers/db-psql.js';
import type { CliContext } from '../context.js';
import { type Sheet, sheetOf } from '../query/print.js';
import { renderError } from '../render/error.js';
import type { Paint } from '../render/style.js';
import type { History } from '../shell/history.js';
import { splitSql } from '../sql/lexer.js';
import { answer } from './answer.js';

/** How a prompt shows a transaction, as that of psql does. */
const TRANSACTION_MARKS = { none: '', open: '*', failed: '!' } as const;
/** Entries of earlier sessions that the arrow keys bring back. */
const REMEMBERED = 500;

export interface PromptOptions {
  readonly session: SqlSession;
  readonly history: History;
  readonly paint: Paint;
}

/**
 * Our own prompt, where no psql is installed: statements over several lines up to a semicolon, answers as tables.
 * The prompt names the environment and an open transaction. Ctrl-C stops the statement or drops what was typed, Ctrl-D and \q leave.
 */
export class Prompt {
  private readonly options: PromptOptions;
  private readonly context: CliContext;
  private readonly sheet: Sheet;
  private readonly lines: Interface;
  private text = '';
  private working = false;
  private running: AbortController | undefined;
  private queue: string[] = [];
  private closed = false;

  constructor(options: PromptOptions, context: CliContext) {
    this.options = options;
    this.context = context;
    this.sheet = sheetOf(context.stdout, context.signal, options.paint);
    const { history } = options;
    const count = Math.min(history.length, REMEMBERED);
    const earlier = Array.from({ length: count }, (_, age) => history.at(age) ?? '');
    this.lines = createInterface({
      input: context.stdin,
      output: context.stdout,
      terminal: true,
      historySize: REMEMBERED,
      history: earlier.map((entry) => entry.replaceAll('\n', ' ')),
    });
  }

  /** Runs until it is left. @throws the signal's reason when hx is told to end. */
  async run(): Promise<void> {
    const { signal, stdout } = this.context;
    const left = new Promise<void>((resolve) => {
      this.lines.once('close', () => {
        this.closed = true;
        this.running?.abort();
        resolve();
      });
    });
    const leave = () => this.lines.close();
    signal.addEventListener('abort', leave, { once: true });
    this.lines.on('SIGINT', () => this.interrupt());
    this.lines.on('line', (line) => {
      this.queue.push(line);
      void this.work();
    });
    this.ask();
    await left;
    signal.removeEventListener('abort', leave);
    stdout.write('\n');
    signal.throwIfAborted();
  }

  /** Ctrl-C: stops what runs, else drops what was typed. */
  private interrupt(): void {
    this.queue = [];
    if (this.running !== undefined) {
      this.running.abort();
      return;
    }
    this.text = '';
    this.context.stdout.write('^C\n');
    // Takes back the line that was being edited.
    this.lines.write(null, { ctrl: true, name: 'e' });
    this.lines.write(null, { ctrl: true, name: 'u' });
    this.ask();
  }

  /** Takes lines one after the other; those typed while a statement runs wait for its end. */
  private async work(): Promise<void> {
    if (this.working) return;
    this.working = true;
    for (let line = this.queue.shift(); line !== undefined && !this.closed; line = this.queue.shift()) {
      await this.take(line);
    }
    this.working = false;
    this.ask();
  }

  private async take(line: string): Promise<void> {
    if (this.text === '' && line.trim().startsWith('\\')) return this.backslash(line.trim());
    if (this.text === '' && /^\s*(exit|quit)\s*;?\s*$/i.test(line)) return this.lines.close();
    this.text += this.text === '' ? line : `\n${line}`;
    const { complete, rest } = splitSql(this.text);
    if (complete.length === 0) {
      if (rest === '') this.text = '';
      return;
    }
    this.text = rest;
    const entered = complete.map((statement) => `${statement};`).join('\n');
    await this.options.history.add(entered).catch((error: unknown) => this.report(error));
    for (const statement of complete) {
      if (!(await this.execute(statement))) break;
    }
  }

  /** Returns whether it succeeded, so that the statements behind it may run. */
  private async execute(statement: string): Promise<boolean> {
    const running = new AbortController();
    this.running = running;
    try {
      await answer(this.options.session, statement, 'table', this.sheet, running.signal);
      return true;
    } catch (error) {
      this.report(error);
      return false;
    } finally {
      this.running = undefined;
    }
  }

  private backslash(command: string): void {
    if (/^\\q\b/.test(command)) {
      this.lines.close();
      return;
    }
    const help = 'Only \\q works here, which leaves. psql, once installed, knows the others.';
    this.context.stdout.write(`${help}\n`);
  }

  private report(error: unknown): void {
    if (this.closed) return;
    const debug = this.context.env['HX_DEBUG'] === '1';
    this.context.stdout.write(renderError(toHxError(error), this.options.paint, debug));
  }

  private ask(): void {
    if (this.closed) return;
    const { session, paint } = this.options;
    const { environment, readOnly } = session;
    const name = `${environment}${readOnly ? ' (read-only)' : ''}`;
    const mark = `${this.text === '' ? '=' : '-'}${TRANSACTION_MARKS[session.transaction()]}>`;
    this.lines.setPrompt(`${paint(environment === 'production' ? 'red' : 'bold', `${name}${mark}`)} `);
    this.lines.prompt();
  }
}
