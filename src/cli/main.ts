import { readFileSync } from 'node:fs';
import { Builtins, Cli, type Command, type CommandClass, UsageError } from 'clipanion';
import { HxError, systemCode, toHxError } from '../base/errors.js';
import { packagePath } from '../base/paths.js';
import { HelpCommand } from './commands/help.js';
import { COMMANDS } from './commands/index.js';
import { type CliContext, isTerminal } from './context.js';
import { renderError, renderErrorJson } from './render/error.js';
import { coloured, plain } from './render/style.js';

/** Runs hx in a process: wires its streams and signals. Returns the exit code. */
export async function main(process: NodeJS.Process): Promise<number> {
  const controller = new AbortController();
  const onSignal = (signal: NodeJS.Signals) => {
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
  }
}

/** Runs one command line. Never throws: every error is printed to standard error and becomes an exit code. */
export async function runCli(argv: string[], context: CliContext): Promise<number> {
  const colors = isTerminal(context.stdout) && !context.env['NO_COLOR'] && !argv.includes('--no-color');
  const cli = makeCli(colors);
  const json = argv.includes('--json');
  try {
    return await execute(cli, argv.length === 0 ? ['--help'] : argv, context);
  } catch (thrown) {
    const error = toCliError(thrown, cli, argv);
    if (json) context.stderr.write(renderErrorJson(error));
    else if (error.message !== '') {
      const paint = isTerminal(context.stderr) && !context.env['NO_COLOR'] ? coloured : plain;
      context.stderr.write(renderError(error, paint, context.env['HX_DEBUG'] === '1'));
    }
    return error.exitCode;
  }
}

/**
 * Parses and runs one command line. Unlike the parser's own `run`, it throws what the command throws, so that
 * errors keep their exit code; commands that run others (`this.cli.run`) get the same.
 */
async function execute(cli: Cli<CliContext>, argv: string[], context: CliContext): Promise<number> {
  const command = cli.process(argv, context);
  if (command.help) {
    // The parser knows how many values an option takes, not what they are called.
    context.stdout.write(cli.usage(command, { detailed: true }).replaceAll('#0', 'VALUE'));
    return 0;
  }
  command.context = context;
  command.cli = {
    ...(cli as unknown as Command<CliContext>['cli']),
    definitions: () => cli.definitions(),
    error: (error, options) => cli.error(error, options),
    format: (colored) => cli.format(colored),
    process: (input, subContext) => cli.process(input, { ...context, ...subContext }),
    run: (input, subContext) => execute(cli, input, { ...context, ...subContext }),
    usage: (shown, options) => cli.usage(shown, options),
  };
  return (await command.validateAndExecute()) ?? 0;
}

/** The command line parser with every command registered. */
export function makeCli(enableColors: boolean): Cli<CliContext> {
  const cli = new Cli<CliContext>({
    binaryName: 'hx',
    binaryLabel: 'hx: how strongly does a language model believe a claim',
    binaryVersion: version(),
    enableColors,
  });
  cli.register(HelpCommand);
  cli.register(Builtins.VersionCommand);
  for (const command of COMMANDS) cli.register(command as CommandClass<CliContext>);
  return cli;
}

function version(): string {
  const manifest = JSON.parse(readFileSync(packagePath('package.json'), 'utf8')) as { version: string };
  return manifest.version;
}

/** clipanion's own errors are usage errors; everything else keeps its code. */
function toCliError(thrown: unknown, cli: Cli<CliContext>, argv: string[]): HxError {
  if (thrown instanceof UsageError || isSyntaxError(thrown)) {
    const [first = ''] = (thrown as Error).message.split(/[,;] did you mean|\n\n?\$ |\n\nWhile running/);
    if (first === 'Command not found') {
      const words = argv.filter((word) => !word.startsWith('-'));
      return new HxError('usage', `There is no command hx ${words.slice(0, 2).join(' ')}.`, {
        cause: thrown,
        hint: 'See hx --help for the commands.',
      });
    }
    return new HxError('usage', `${first.replace(/[.:]$/, '').trim()}.`, {
      cause: thrown,
      hint: usageHint(cli, argv),
    });
  }
  const error = toHxError(thrown);
  if (error.code !== 'usage' || error.hint !== undefined) return error;
  const { message, details } = error;
  return new HxError('usage', message, { cause: thrown, details, hint: usageHint(cli, argv) });
}

function isSyntaxError(thrown: unknown): boolean {
  return (
    thrown instanceof Error &&
    (thrown.name === 'UnknownSyntaxError' || thrown.name === 'AmbiguousSyntaxError')
  );
}

/** Points at the help of the command that was meant, as far as its path was typed right. */
function usageHint(cli: Cli<CliContext>, argv: string[]): string {
  const paths = cli.definitions().map(({ path }) => path.replace(/^hx ?/, ''));
  for (const words of [argv.slice(0, 2).join(' '), argv[0] ?? '']) {
    if (words !== '' && paths.includes(words)) return `See hx ${words} --help.`;
  }
  return 'See hx --help for the commands.';
}
