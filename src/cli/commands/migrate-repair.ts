import { Command, Option } from 'clipanion';
import * as t from 'typanion';
import { askYesNo } from '../ask.js';
import { EnvironmentCommand } from '../base.js';

export class MigrateBaselineCommand extends EnvironmentCommand {
  static override paths = [['migrate', 'baseline']];
  static override usage = Command.Usage({
    details:
      'For a database whose schema was restored or made without its ledger. The migrations are replayed in a scratch ' +
      'database of the local server, and nothing is written unless the schema is the same.',
    examples: [
      ['A restored schema without its ledger', 'hx migrate baseline --env development --to 9 --yes'],
    ],
  });

  to = Option.String('--to', {
    required: true,
    description: 'Number of the last migration whose schema the database has',
    validator: t.isNumber(),
  });
  yes = Option.Boolean('--yes', false, { description: 'Do not ask' });

  async execute(): Promise<number> {
    let { yes } = this;
    if (!yes) {
      const question = `Write migrations 1 to ${this.to} into the ledger of ${this.settings.environment}?`;
      const answer = await askYesNo(question, this.context);
      if (answer === false) {
        this.note('Nothing was written.');
        return 1;
      }
      yes = answer === true;
    }
    const result = await this.invoke('migrateBaseline', { to: this.to, yes });
    if (this.json) this.printJson(result);
    else if (result.written.length === 0) this.print(`${result.environment}: the ledger had them all`);
    else for (const name of result.written) this.print(`written down: ${name}`);
    return 0;
  }
}

export class MigrateRepairCommand extends EnvironmentCommand {
  static override paths = [['migrate', 'repair']];
  static override usage = Command.Usage({
    details:
      'Takes over the hashes of files whose comments alone changed, finishes or clears away the step that a dead run ' +
      'left, and rebuilds INVALID indexes. Runs no migration. Exits 1 when something is left that a person has to ' +
      'decide.',
    examples: [
      ['What a dead run left', 'hx migrate repair --env development'],
      ['A step that did its work, though nothing shows it', 'hx migrate repair --step done'],
    ],
  });

  step = Option.String('--step', {
    description:
      'What became of the step that nobody else can tell about: done, or again to run it once more',
    validator: t.isEnum(['done', 'again'] as const),
  });

  async execute(): Promise<number> {
    const result = await this.invoke('migrateRepair', { step: this.step });
    const exitCode = result.left.length === 0 ? 0 : 1;
    if (this.json) {
      this.printJson(result);
      return exitCode;
    }
    for (const what of result.repaired) this.print(`${this.paint('green', 'repaired')}  ${what}`);
    for (const { what, hint } of result.left)
      this.print(`${this.paint('red', 'left')}      ${what}\n    ${hint}`);
    if (result.repaired.length + result.left.length === 0)
      this.print(`${result.environment}: nothing to repair`);
    return exitCode;
  }
}
