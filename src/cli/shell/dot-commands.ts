import { HxError } from '../../base/errors.js';
import type { QuerySession } from '../../handlers/query-session.js';
import type { WriteText } from '../output.js';
import { renderQueryList } from '../query/list.js';
import { formatOfFile, TEXT_FORMATS } from '../render/formats/index.js';
import type { Paint } from '../render/style.js';
import { renderTable } from '../render/table.js';
import { SHELL_KEYS } from './help.js';
import { LAST_RESULT } from './last-result.js';
import { type Modes, PAGER_MODES } from './modes.js';

/** The shell as a dot command sees it. */
export interface CommandHost {
  readonly session: QuerySession;
  readonly paint: Paint;
  readonly modes: Modes;
  readonly print: WriteText;
  /** Columns of the terminal right now. */
  readonly width: () => number;
  /** An absolute path for a name as it was typed. */
  resolve(path: string): string;
  /** Runs what a file asks for. */
  runFile(name: string, signal: AbortSignal): Promise<void>;
  leave(): void;
}

/** What can follow a dot command: words of a list, a view, or a file. */
export type ArgumentKind = readonly string[] | 'view' | 'file';

interface DotCommand {
  readonly name: string;
  readonly argument?: string;
  readonly takes?: ArgumentKind;
  readonly meaning: string;
  run(host: CommandHost, argument: string, signal: AbortSignal): Promise<void> | void;
}

const SWITCH = ['on', 'off'] as const;
/** Narrower cells would show nothing but the mark of having been cut. */
const LEAST_CELL_WIDTH = 4;

/** What the shell knows besides SQL. */
export const DOT_COMMANDS: readonly DotCommand[] = [
  { name: '.help', meaning: 'This list', run: (host) => host.print(helpText(host)) },
  { name: '.tables', meaning: 'The views of the lake', run: printTables },
  { name: '.schema', argument: 'VIEW', takes: 'view', meaning: 'The columns of a view', run: printSchema },
  { name: '.queries', meaning: 'The ready queries; run one with @name parameter=value', run: printQueries },
  {
    name: '.mode',
    argument: 'FORMAT',
    takes: TEXT_FORMATS,
    meaning: `As ${TEXT_FORMATS.join(', ')}`,
    run: setMode,
  },
  {
    name: '.width',
    argument: 'N|auto',
    takes: ['auto'],
    meaning: 'Cut cells to N columns, or to fit the window',
    run: setWidth,
  },
  {
    name: '.pager',
    argument: PAGER_MODES.join('|'),
    takes: PAGER_MODES,
    meaning: 'Page tables; auto: those larger than the window',
    run: setPager,
  },
  { name: '.timer', argument: 'on|off', takes: SWITCH, meaning: 'How long a statement took', run: setTimer },
  {
    name: '.output',
    argument: 'FILE',
    takes: 'file',
    meaning: 'Write the next result to FILE; without it: print it',
    run: setOutput,
  },
  {
    name: '.read',
    argument: 'FILE',
    takes: 'file',
    meaning: 'Run the statements and commands of a file',
    run: readStatements,
  },
  { name: '.exit', meaning: 'Leave (or Ctrl-D)', run: (host) => host.leave() },
];

/**
 * Runs one dot command.
 * @throws HxError `usage` for one that does not exist or an argument that does not fit.
 */
export async function runDotCommand(host: CommandHost, text: string, signal: AbortSignal): Promise<void> {
  const [, name = '', rest = ''] = /^(\S+?);?(?:\s+([\s\S]*?)\s*;?)?$/.exec(text) ?? [];
  const known = name === '.quit' ? '.exit' : name;
  const command = DOT_COMMANDS.find((candidate) => candidate.name === known);
  if (command === undefined) {
    throw new HxError('usage', `There is no command ${name}.`, { hint: 'Type .help for the list.' });
  }
  if (command.argument === undefined && rest !== '') {
    throw new HxError('usage', `${known} takes nothing after it, and "${rest}" is.`);
  }
  await command.run(host, rest.replace(/^(['"])(.*)\1$/, '$2'), signal);
}

function helpText({ width, paint }: CommandHost): string {
  const rows = DOT_COMMANDS.map(({ name, argument, meaning }) => [
    `${name} ${argument ?? ''}`.trim(),
    meaning,
  ]);
  rows.push([LAST_RESULT, `The last result, as a table: select count(*) from ${LAST_RESULT};`]);
  const table = (header: string, lines: readonly (readonly string[])[]) =>
    renderTable({ columns: [{ header }, { header: 'meaning' }], rows: lines, width: width(), paint });
  return `${table('command', rows)}\n${table('key', SHELL_KEYS)}`;
}

async function printTables({ session, print, width, paint }: CommandHost): Promise<void> {
  const tables = await session.tables();
  const rows = tables.map(({ name, columns }) => [name, String(columns.length)]);
  const columns = [{ header: 'view' }, { header: 'columns', align: 'right' as const }];
  await print(renderTable({ columns, rows, width: width(), paint }));
}

async function printSchema({ session, print, width, paint }: CommandHost, name: string): Promise<void> {
  const tables = await session.tables();
  const found = tables.find((table) => table.name === name.toLowerCase());
  if (found === undefined) {
    throw new HxError('usage', name === '' ? 'Which view?' : `There is no view "${name}".`, {
      hint: `There are: ${tables.map((table) => table.name).join(', ')}.`,
    });
  }
  const rows = found.columns.map((column) => [column.name, column.type]);
  const columns = [{ header: 'column' }, { header: 'type' }];
  await print(renderTable({ columns, rows, width: width(), paint }));
}

async function printQueries({ session, paint, print }: CommandHost): Promise<void> {
  const text = renderQueryList(session.readyQueries(), paint);
  await print(text.replaceAll('--param ', ''));
}

function setMode({ modes }: CommandHost, argument: string): void {
  const mode = TEXT_FORMATS.find((format) => format === argument);
  if (mode === undefined) {
    const what = argument === '' ? `The mode is ${modes.format}.` : `There is no mode "${argument}".`;
    throw new HxError('usage', what, {
      hint: `Use .mode ${TEXT_FORMATS.join(', ')}; now it is ${modes.format}.`,
    });
  }
  modes.format = mode;
}

function setWidth({ modes }: CommandHost, argument: string): void {
  const columns = Number(argument);
  if (argument === 'auto') modes.cellWidth = undefined;
  else if (Number.isSafeInteger(columns) && columns >= LEAST_CELL_WIDTH) modes.cellWidth = columns;
  else {
    throw new HxError('usage', `Cells are cut to ${modes.cellWidth ?? 'fit the window'}.`, {
      hint: `Use .width N with N at least ${LEAST_CELL_WIDTH}, or .width auto.`,
    });
  }
}

function setPager({ modes }: CommandHost, argument: string): void {
  const mode = PAGER_MODES.find((name) => name === argument);
  if (mode === undefined) {
    throw new HxError('usage', `The pager is ${modes.pager}.`, {
      hint: 'Use .pager auto, .pager always or .pager off.',
    });
  }
  modes.pager = mode;
}

function setTimer({ modes }: CommandHost, argument: string): void {
  if (argument !== 'on' && argument !== 'off') {
    throw new HxError('usage', `The timer is ${modes.timer ? 'on' : 'off'}.`, {
      hint: 'Use .timer on or .timer off.',
    });
  }
  modes.timer = argument === 'on';
}

async function setOutput(host: CommandHost, argument: string): Promise<void> {
  const { modes, print, paint } = host;
  if (argument === '') {
    modes.output = undefined;
    return;
  }
  formatOfFile(argument, 'End');
  modes.output = host.resolve(argument);
  await print(`${paint('dim', `The next result goes to ${modes.output}.`)}\n`);
}

async function readStatements(host: CommandHost, argument: string, signal: AbortSignal): Promise<void> {
  if (argument === '') throw new HxError('usage', 'Which file?', { hint: 'For example .read report.sql' });
  await host.runFile(argument, signal);
}
