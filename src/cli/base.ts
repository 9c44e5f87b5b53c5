import { Command, Option } from 'clipanion';
import { loadSettings, type Settings } from '../base/config.js';
import type { ProgressEvent } from '../base/events.js';
import type { SettingName } from '../base/settings-table.js';
import { systemClock } from '../base/time.js';
import { Accounts, type Context, Lanes } from '../handlers/context.js';
import { type HandlerName, invoke, type ResultOf } from '../handlers/index.js';
import { type CliContext, columnsOf, isTerminal } from './context.js';
import { ProgressLine } from './progress/line.js';
import { coloured, type Paint, plain } from './render/style.js';
import type { TableColumn } from './render/table.js';

/** What every command shares: its common flags, the way to a handler, and the way to print. */
export abstract class HxCommand extends Command<CliContext> {
  json = Option.Boolean('--json', false, { description: 'Print one JSON value instead of text' });
  quiet = Option.Boolean('--quiet', false, { description: 'No progress and no notes on standard error' });
  noColor = Option.Boolean('--no-color', false, { description: 'No colours' });

  private loadedSettings: Settings | undefined;
  private progress: ProgressLine | undefined;

  /** Setting values given as flags of this command. */
  protected flags(): Partial<Record<SettingName, string | undefined>> {
    return {};
  }

  get settings(): Settings {
    this.loadedSettings ??= loadSettings({
      flags: this.flags(),
      variables: this.context.env,
      folder: this.context.folder,
    });
    return this.loadedSettings;
  }

  /** Paint for standard output: colours only on a terminal, and never with --json, --no-color or NO_COLOR. */
  get paint(): Paint {
    return this.mayColour(this.context.stdout) ? coloured : plain;
  }

  protected mayColour(stream: unknown): boolean {
    return isTerminal(stream) && !this.json && !this.noColor && this.settings.get('NO_COLOR') === undefined;
  }

  get width(): number {
    return columnsOf(this.context.stdout);
  }

  /** Runs a handler with progress on standard error, and closes what it opened. */
  async invoke<Name extends HandlerName>(name: Name, input: unknown): Promise<ResultOf<Name>> {
    return this.withContext((context) => invoke(name, input, context));
  }

  /** Gives a handler context to `work`, and closes afterwards what was opened through it. */
  async withContext<T>(work: (context: Context) => Promise<T>): Promise<T> {
    this.progress = new ProgressLine(this.context.stderr, {
      live: isTerminal(this.context.stderr) && !this.json && !this.quiet,
      notes: !this.quiet,
    });
    const emit = (event: ProgressEvent) => this.progress?.show(event);
    const { signal } = this.context;
    const lanes = new Lanes(this.settings, signal, emit);
    const accounts = new Accounts();
    try {
      return await work({ settings: this.settings, clock: systemClock, signal, emit, lanes, accounts });
    } finally {
      this.progress.end();
      await lanes.close();
    }
  }

  /** Writes data to standard output, ending the line. */
  print(text: string): void {
    this.progress?.end();
    this.context.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  }

  /** Prints a table, fitted to the terminal; in a pipe nothing is cut. */
  async printTable(columns: readonly TableColumn[], rows: readonly (readonly string[])[]): Promise<void> {
    const { renderTable } = await import('./render/table.js');
    const width = isTerminal(this.context.stdout) ? columnsOf(this.context.stdout) : Number.POSITIVE_INFINITY;
    this.print(renderTable({ columns, rows, width, paint: this.paint }));
  }

  /** Prints one JSON value, indented for a terminal and on one line for a program. */
  printJson(value: unknown): void {
    this.print(JSON.stringify(value, jsonReplacer, isTerminal(this.context.stdout) ? 2 : undefined));
  }

  /** Writes one line to standard error, unless --quiet. */
  note(text: string): void {
    if (!this.quiet) this.context.stderr.write(`${text}\n`);
  }
}

/** The option that chooses the environment. */
export function environmentOption() {
  return Option.String('--env', {
    description: 'Environment: local, development (neon-dev) or production (neon)',
  });
}

/** A command that works on one environment's database. */
export abstract class EnvironmentCommand extends HxCommand {
  env = environmentOption();

  protected override flags(): Partial<Record<SettingName, string | undefined>> {
    return { HX_ENV: this.env };
  }
}

function jsonReplacer(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
