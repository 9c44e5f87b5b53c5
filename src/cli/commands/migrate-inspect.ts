import { Command, Option } from 'clipanion';
import { EnvironmentCommand } from '../base.js';

export class MigrateDiffCommand extends EnvironmentCommand {
  static override paths = [['migrate', 'diff']];
  static override usage = Command.Usage({
    details:
      'Names every object of the schema that differs: missing from the environment, extra in it, or changed and ' +
      'how. Data does not count. Exits 1 when anything differs. For `files`, the migrations are replayed into a ' +
      'scratch database on the local server, which is dropped afterwards.',
    examples: [
      ['The local database against what the migrations make', 'hx migrate diff'],
      ['Production against development', 'hx migrate diff --env production --against development'],
    ],
  });

  against = Option.String('--against', {
    description: 'An environment, or files; by default files for local, local for the others',
  });

  async execute(): Promise<number> {
    const result = await this.invoke('migrateDiff', { against: this.against });
    const exitCode = result.equal ? 0 : 1;
    if (this.json) {
      this.printJson(result);
      return exitCode;
    }
    const { renderDifference } = await import('../render/schema-difference.js');
    for (const difference of result.differences) this.print(renderDifference(difference, this.paint));
    const count = result.differences.length;
    const what = result.equal ? 'equal' : `${count} ${count === 1 ? 'difference' : 'differences'}`;
    this.note(`${result.environment} against ${result.against}: ${what}, ${result.objects} objects`);
    return exitCode;
  }
}
