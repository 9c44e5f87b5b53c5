import { readFile } from 'node:fs/promises';
import { HxError, messageOf } from '../../base/errors.js';
import { renderQueryList } from '../query/list.js';
import { formatOfFile, TEXT_FORMATS } from '../render/formats/index.js';
import { renderTable } from '../render/table.js';
import type { Interpreter } from './interpreter.js';

interface DotCommand {
  readonly name: string;
  readonly argument?: string;
  readonly meaning: string;
  run(shell: Interpreter, argument: string, signal: AbortSignal): Promise<void>;
}

/** What the shell knows besides SQL. */
export const DOT_COMMANDS: readonly DotCommand[] = [
  { name: '.help', meaning: 'This list', run: (shell) => shell.options.print(helpText(shell)) },
  { name: '.tables', meaning: 'The views of the lake', run: printTables },
  { name: '.schema', argument: 'NAME', meaning: 'The columns of a view', run: printSchema },
  { name: '.queries', meaning: 'The ready queries; run one with @name parameter=value', run: printQueries },
  { name: '.mode', argument: TEXT_FORMATS.join('|'), meaning: 'How results are printed', run: setMode },
  { name: '.timer', argument: 'on|off', meaning: 'How long a statement took', run: setTimer },
  { name: '.output', argument: 'FILE', meaning: 'Write the next result to a file', run: setOutput },
  { name: '.read', argument: 'FILE', meaning: 'Run the statements of a file', run: readStatements },
  {
    name: '.exit',
    meaning: 'Leave (or Ctrl-D)',
    run: async (shell) => {
      shell.left = true;
    },
  },
];

/**
 * Runs one dot command.
 * @throws HxError `usage` for one that does not exist or an argument that does not fit.
 */
export async function runDotCommand(shell: Interpreter, text: string, signal: AbortSignal): Promise<void> {
  const [, name = '', rest = ''] = /^(\S+)\s*([\s\S]*?)\s*;?$/.exec(text) ?? [];
  const known = name === '.quit' ? '.exit' : name;
  const command = DOT_COMMANDS.find((candidate) => candidate.name === known);
  if (command === undefined) {
    throw new HxError('usage', `There is no command ${name}.`, { hint: 'Type .help for the list.' });
  }
  await command.run(shell, rest.replace(/^(['"])(.*)\1$/, '$2'), signal);
}

function helpText({ options }: Interpreter): string {
  const rows = DOT_COMMANDS.map(({ name, argument, meaning }) => [
    `${name} ${argument ?? ''}`.trim(),
    meaning,
  ]);
  const keys = [
    ['SQL;', 'Runs once a line ends in a semicolon; Alt-Enter breaks a line before that'],
    ['Tab', 'Completes keywords, views and columns'],
    ['Up, Down', 'Lines, then history'],
    ['Ctrl-C', 'Stops the running statement, or clears what was typed'],
  ];
  return renderTable({
    columns: [{ header: 'command' }, { header: 'meaning' }],
    rows: [...rows, ...keys],
    width: options.width(),
    paint: options.paint,
  });
}

async function printTables({ options }: Interpreter): Promise<void> {
  const tables = await options.session.tables();
  const rows = tables.map(({ name, columns }) => [name, String(columns.length)]);
  const columns = [{ header: 'view' }, { header: 'columns', align: 'right' as const }];
  await options.print(renderTable({ columns, rows, width: options.width(), paint: options.paint }));
}

async function printSchema({ options }: Interpreter, name: string): Promise<void> {
  const tables = await options.session.tables();
  const found = tables.find((table) => table.name === name);
  if (found === undefined) {
    throw new HxError('usage', name === '' ? 'Which view?' : `There is no view "${name}".`, {
      hint: `There are: ${tables.map((table) => table.name).join(', ')}.`,
    });
  }
  const rows = found.columns.map((column) => [column.name, column.type]);
  const columns = [{ header: 'column' }, { header: 'type' }];
  await options.print(renderTable({ columns, rows, width: options.width(), paint: options.paint }));
}

async function printQueries({ options }: Interpreter): Promise<void> {
  const text = renderQueryList(options.session.readyQueries(), options.paint);
  await options.print(text.replaceAll('--param ', ''));
}

async function setMode(shell: Interpreter, argument: string): Promise<void> {
  const mode = TEXT_FORMATS.find((format) => format === argument);
  if (mode === undefined) {
    throw new HxError('usage', `There is no mode "${argument}".`, {
      hint: `Use .mode ${TEXT_FORMATS.join(', ')}; now it is ${shell.mode}.`,
    });
  }
  shell.mode = mode;
}

async function setTimer(shell: Interpreter, argument: string): Promise<void> {
  if (argument !== 'on' && argument !== 'off') {
    throw new HxError('usage', `The timer is ${shell.timer ? 'on' : 'off'}.`, {
      hint: 'Use .timer on or .timer off.',
    });
  }
  shell.timer = argument === 'on';
}

async function setOutput(shell: Interpreter, argument: string): Promise<void> {
  if (argument === '') throw new HxError('usage', 'Which file?', { hint: 'For example .output result.csv' });
  formatOfFile(argument);
  shell.output = shell.resolve(argument);
}

async function readStatements(shell: Interpreter, argument: string, signal: AbortSignal): Promise<void> {
  if (argument === '') throw new HxError('usage', 'Which file?', { hint: 'For example .read report.sql' });
  const sql = await readFile(shell.resolve(argument), 'utf8').catch((error: unknown) => {
    throw new HxError('usage', `Cannot read ${argument}: ${messageOf(error)}.`, { cause: error });
  });
  await shell.runSql(sql, signal);
}
