import { Cli, type Command } from 'clipanion';
import { COMMANDS, type CommandEntry } from './commands/index.js';
import type { CliContext } from './context.js';
import { refuseRepeatedOptions } from './repeated.js';

/**
 * A parser that knows some commands. Loading all of them takes longer than most of them run.
 * @param entries the commands to load.
 */
export async function makeCli(
  entries: readonly CommandEntry[],
  enableColors: boolean,
): Promise<Cli<CliContext>> {
  const cli = new Cli<CliContext>({ binaryName: 'hx', enableColors });
  for (const { category, description, load } of entries) {
    const command = await load();
    // The list of commands is the one place that says what each is for.
    command.usage = { ...command.usage, category, description };
    cli.register(command);
  }
  return cli;
}

/** The commands that a command line may mean: those that share its first word. */
export function findEntries(argv: readonly string[]): readonly CommandEntry[] {
  const first = argv.find((word) => !word.startsWith('-'));
  return COMMANDS.filter(({ path }) => path.split(' ')[0] === first);
}

/**
 * Parses and runs one command line. Unlike the parser's own `run`, it throws what the command throws, so that
 * errors keep their exit code; commands that run others (`this.cli.run`) get the same.
 * @returns the exit code.
 */
export async function execute(
  argv: readonly string[],
  context: CliContext,
  enableColors: boolean,
): Promise<number> {
  const cli = await makeCli(findEntries(argv), enableColors);
  const command = cli.process([...argv], context);
  const own = cli.definitions().find(({ path }) => path === `hx ${command.path.join(' ')}`);
  refuseRepeatedOptions(argv, own?.options ?? [], command);
  command.context = context;
  command.cli = {
    ...(cli as unknown as Command<CliContext>['cli']),
    definitions: () => cli.definitions(),
    error: (error, options) => cli.error(error, options),
    format: (colored) => cli.format(colored),
    process: (input, subContext) => cli.process(input, { ...context, ...subContext }),
    run: (input, subContext) => execute(input, { ...context, ...subContext }, enableColors),
    // The parser knows how many values an option takes, not what they are called.
    usage: (shown, options) => cli.usage(shown, options).replaceAll('#0', 'VALUE'),
  };
  return (await command.validateAndExecute()) ?? 0;
}
