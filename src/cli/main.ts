import { readFileSync } from 'node:fs';
import { Builtins, Cli, type CommandClass, UsageError } from 'clipanion';
import { HxError, systemCode, toHxError } from '../base/errors.js';
import { packagePath } from '../base/paths.js';
import { COMMANDS } from './commands/index.js';
import { type CliContext, isTerminal } from './context.js';
import { renderError, renderErrorJson } from './render/error.js';
import { coloured, plain } from './render/style.js';

/** Runs hx in a process: wires its streams and signals. Returns the exit code. */
export async function main(process: NodeJS.Process): Promise<number> {
  const controller = new AbortController();
  const onSignal = (signal: NodeJS.Signals) => {
    // A second signal leaves at once, by the default action that we give back here.
    process.removeListener('SIGINT', onSignal);
    process.removeListener('SIGTERM', onSignal);
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
  const cli = makeCli(isTerminal(context.stdout) && !context.env['NO_COLOR']);
  const json = argv.includes('--json');
  try {
    const command = cli.process(argv, context);
    return (await command.validateAndExecute()) ?? 0;
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

/** The command line parser with every command registered. */
export function makeCli(enableColors: boolean): Cli<CliContext> {
  const cli = new Cli<CliContext>({
    binaryName: 'hx',
    binaryLabel: 'hx: how strongly does a language model believe a claim',
    binaryVersion: version(),
    enableColors,
  });
  cli.register(Builtins.HelpCommand);
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
    const [first = ''] = (thrown as Error).message.split('\n\n$ ');
    return new HxError('usage', first.replace(/\.$/, '').trim(), {
      cause: thrown,
      hint: usageHint(cli, argv),
    });
  }
  return toHxError(thrown);
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
