import { HxCommand } from '../base.js';

/** Categories in the order in which a newcomer needs them. */
export const CATEGORIES = ['Start', 'Measure', 'Analyse', 'Operate'] as const;

export class HelpCommand extends HxCommand {
  static override paths = [['--help'], ['-h'], ['help']];

  async execute(): Promise<void> {
    const definitions = this.cli.definitions();
    if (this.json) {
      this.printJson(
        definitions.map(({ path, category, description }) => ({
          path,
          category: category?.trim(),
          description: description?.trim(),
        })),
      );
      return;
    }
    const width = Math.max(...definitions.map(({ path }) => path.length));
    const lines = [`${this.paint('bold', 'hx')}: how strongly does a language model believe a claim`];
    for (const category of CATEGORIES) {
      lines.push('', this.paint('bold', category));
      for (const { path, category: own, description = '' } of definitions) {
        if (own?.trim() === category) lines.push(`  ${path.padEnd(width)}  ${description.trim()}`);
      }
    }
    lines.push('', 'Options and examples of a command: hx COMMAND --help');
    this.print(lines.join('\n'));
  }
}
