import { readFileSync } from 'node:fs';
import { HxError, systemCode, toHxError } from '../base/errors.js';
import { packagePath } from '../base/paths.js';
import { COMMANDS, type CommandEntry } from './commands/index.js';
import { type CliContext, isTerminal } from './context.js';
import { helpJson, renderHelp } from './help.js';
import { coloured, plain } from './render/style.js';

/** So long may work go on that an interrupted command could not stop, such as a request of DuckDB to a silent server. */
const LINGER_MS = 2_000;

/** Runs hx in a process: wires its streams and signals. Returns the exit code. */
export async function main(process: NodeJS.Process): Promise<number> {
  const controller = new AbortController();
  let received: NodeJS.Signals | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    received = signal;
    if (controller.signal.aborted) {
      // A second signal leaves at once, by the default action that we give back here.
      process.removeListener('SIGINT', onSignal);
      process.removeListener('SIGTERM', onSignal);
      process.kill(process.pid, signal);
      return;
    }
    // We stay listening: a library that listens too (Ink) takes itself for the last one otherwise, and kills.
    controller.abort(new HxError('interrupted', signal === 'SIGINT' ? 'Interrupted.' : 'Terminated.'));
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  // Whoever read our output has gone (`hx query ... | head`): stop quietly, as other tools do.
  process.stdout.on('error', (error) => {
    if (systemCode(error) === 'EPIPE') controller.abort(new HxError('interrupted', ''));
  });
  try {
    return await runCli(process.argv.slice(2), {
      env: process.env,
      stdin: process.stdin,
      stdout: process.stdout,
      stderr: process.stderr,
      colorDepth: isTerminal(process.stdout) ? process.stdout.getColorDepth() : 1,
      folder: process.cwd(),
      signal: controller.signal,
    });
  } finally {
    process.removeListener('SIGINT', onSignal);
    process.removeListener('SIGTERM', onSignal);
    if (received !== undefined) leaveSoon(process, received);
  }
}

/** Ends by a signal's default action what an interrupted command left behind: Node itself would wait until it is over. */
function leaveSoon(process: NodeJS.Process, signal: NodeJS.Signals): void {
  setTimeout(() => process.kill(process.pid, signal), LINGER_MS).unref();
}

/** Runs one command line. Never throws: every error is printed to standard error and becomes an exit code. */
export async function runCli(argv: string[], context: CliContext): Promise<number> {
  const plainly = context.env['NO_COLOR'] !== undefined || argv.includes('--no-color');
  const json = argv.includes('--json');
  try {
    if (isHelp(argv)) {
      const paint = isTerminal(context.stdout) && !plainly ? coloured : plain;
      context.stdout.write(json ? helpJson() : renderHelp(paint));
      return 0;
    }
    if (argv[0] === '--version' || argv[0] === '-v') {
      context.stdout.write(`${version()}\n`);
      return 0;
    }
    refuseUnknownCommand(argv);
    const { execute } = await import('./parser.js');
    return await execute(helpAlone(argv), context, isTerminal(context.stdout) && !plainly);
  } catch (thrown) {
    const error = toCliError(thrown, argv);
    const { renderError, renderErrorJson } = await import('./render/error.js');
    if (json) context.stderr.write(renderErrorJson(error));
    else if (error.message !== '') {
      const paint = isTerminal(context.stderr) && !plainly ? coloured : plain;
      context.stderr.write(renderError(error, paint, context.env['HX_DEBUG'] === '1'));
    }
    return error.exitCode;
  }
}

function asksForHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return argv.slice(0, end === -1 ? argv.length : end).some((word) => word === '--help' || word === '-h');
}

/** Help as such; `hx COMMAND --help` is the command's own. */
function isHelp(argv: readonly string[]): boolean {
  if (argv.length === 0 || argv[0] === 'help') return true;
  return leadingWords(argv).length === 0 && asksForHelp(argv);
}

/** `hx check "a claim" --help` asks for the help of `hx check`, whatever else was typed. */
function helpAlone(argv: readonly string[]): readonly string[] {
  const entry = findEntry(argv);
  return entry !== undefined && asksForHelp(argv) ? [...entry.path.split(' '), '--help'] : argv;
}

function version(): string {
  const manifest = JSON.parse(readFileSync(packagePath('package.json'), 'utf8')) as { version: string };
  return manifest.version;
}

/** The words of a command line before its first option. */
function leadingWords(argv: readonly string[]): string[] {
  const end = argv.findIndex((word) => word.startsWith('-'));
  return argv.slice(0, end === -1 ? argv.length : end);
}

/** @throws HxError `usage` when no command begins like this, or when several do and none is named. */
function refuseUnknownCommand(argv: readonly string[]): void {
  const [first = '', second] = leadingWords(argv);
  const family = COMMANDS.map(({ path }) => path).filter((path) => path.split(' ')[0] === first);
  if (family.length === 0) {
    const what =
      first === '' ? `The command comes first, before ${argv[0]}.` : `There is no command hx ${first}.`;
    throw new HxError('usage', what, { hint: 'See hx --help for the commands.' });
  }
  if (family.includes(first) || family.includes(`${first} ${second}`)) return;
  const choices = family.map((path) => path.split(' ')[1]).join(', ');
  const what =
    second === undefined ? `hx ${first} needs one more word` : `There is no command hx ${first} ${second}`;
  throw new HxError('usage', `${what}: ${choices}.`, { hint: `For example: hx ${family[0]} --help` });
}

/** The parser's own errors are usage errors; everything else keeps its code. */
function toCliError(thrown: unknown, argv: readonly string[]): HxError {
  if (isParserError(thrown)) {
    const unknown = unknownOption(thrown.message, argv);
    if (unknown !== undefined) {
      const what = `Unsupported option name ("${unknown}").`;
      return new HxError('usage', what, { cause: thrown, hint: usageHint(argv) });
    }
    const empty = optionWithoutValue(thrown.message, argv);
    if (empty !== undefined) {
      const what = `The option ${empty} needs a value.`;
      const hint = `Write it after the option, or as ${empty}=VALUE when it begins with a dash.`;
      return new HxError('usage', what, { cause: thrown, hint });
    }
    const extra = /^Extraneous positional argument \((".*")\)\./.exec(thrown.message)?.[1];
    if (extra !== undefined) {
      const hint = `A text of several words needs quotes. ${usageHint(argv)}`;
      return new HxError('usage', `The command ends before ${extra}.`, { cause: thrown, hint });
    }
    const missing = [...missingOptions(thrown.message, argv), ...missingArguments(thrown.message)];
    if (missing.length > 0) {
      const what = `This command needs ${missing.join(' and ')}.`;
      return new HxError('usage', what, { cause: thrown, hint: usageHint(argv) });
    }
    const [first = ''] = thrown.message.split(/[,;] did you mean|\n\n?\$ |\n\nWhile running/);
    return new HxError('usage', `${first.replace(/[.:]$/, '').trim()}.`, {
      cause: thrown,
      hint: usageHint(argv),
    });
  }
  const error = toHxError(thrown);
  if (error.code !== 'usage' || error.hint !== undefined) return error;
  const { message, facts } = error;
  return new HxError('usage', message, { cause: thrown, facts, hint: usageHint(argv) });
}

/** The first word of the command line that looks like an option and is none of those that the parser's message lists. */
function unknownOption(message: string, argv: readonly string[]): string | undefined {
  if (!message.startsWith('Command not found')) return undefined;
  const known = new Set(
    [...listedUsage(message).matchAll(/-{1,2}[A-Za-z][\w-]*/g)].map(([option]) => option),
  );
  return argv.find((word) => /^-{1,2}[A-Za-z]/.test(word) && !known.has(word.replace(/=.*$/, '')));
}

/** The first option of the command line that takes a value, by the parser's message, and has none after it. */
function optionWithoutValue(message: string, argv: readonly string[]): string | undefined {
  const [, named] = /^Not enough arguments to option (\S+)\./.exec(message) ?? [];
  if (named !== undefined || !message.startsWith('Command not found')) return named;
  const takesValue = new Set(
    [...listedUsage(message).matchAll(/((?:-{1,2}[A-Za-z][\w-]*,?)+) #0/g)].flatMap(([, names = '']) =>
      names.split(','),
    ),
  );
  return argv.find((word, index) => takesValue.has(word) && (argv[index + 1] ?? '-').startsWith('-'));
}

/** The parser's message without its end, which repeats the command line. */
function listedUsage(message: string): string {
  return message.split('\n\nWhile running')[0] ?? '';
}

/** The required options of the commands that the parser's message lists, as far as they were not given. */
function missingOptions(message: string, argv: readonly string[]): string[] {
  if (!message.startsWith('Command not found')) return [];
  return [...message.matchAll(/<(--[a-z-]+)/g)].flatMap(([, option = '']) =>
    argv.includes(option) ? [] : option,
  );
}

/** The arguments that a command needs, where too few were given. */
function missingArguments(message: string): string[] {
  if (!message.startsWith('Not enough positional arguments')) return [];
  return [...message.matchAll(/<([A-Z][^>]*)>/g)].map(([, name = '']) => name.replace('|', ' or '));
}

function isParserError(thrown: unknown): thrown is Error {
  return (
    thrown instanceof Error && /^(UsageError|UnknownSyntaxError|AmbiguousSyntaxError)$/.test(thrown.name)
  );
}

/** The command that a command line begins with. */
function findEntry(argv: readonly string[]): CommandEntry | undefined {
  const [first = '', second] = leadingWords(argv);
  return (
    COMMANDS.find(({ path }) => path === `${first} ${second}`) ?? COMMANDS.find(({ path }) => path === first)
  );
}

/** Points at the help of the command that was meant. */
function usageHint(argv: readonly string[]): string {
  const entry = findEntry(argv);
  return entry === undefined ? 'See hx --help for the commands.' : `See hx ${entry.path} --help.`;
}
