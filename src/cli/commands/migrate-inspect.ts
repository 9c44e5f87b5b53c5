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

export class MigrateVerifyCommand extends EnvironmentCommand {
  static override paths = [['migrate', 'verify']];
  static override usage = Command.Usage({
    details:
      'Finds edited, missing and misplaced files, a lost or unclaimed identity, a migration that was not finished, ' +
      'INVALID indexes, NOT VALID constraints, guards that are missing or off, and whatever else is not as the ' +
      'migrations make it. Says it all at once, each with its fix, and exits 1 on any problem.',
    examples: [
      ['The local database', 'hx migrate verify'],
      ['Where there is no local server', 'hx migrate verify --env production --no-replay'],
    ],
  });

  replay = Option.Boolean('--replay', true, {
    description:
      'Compare with the migrations replayed on the local server; else with what the ledger recorded',
  });

  async execute(): Promise<number> {
    const result = await this.invoke('migrateVerify', { replay: this.replay });
    const exitCode = result.ok ? 0 : 1;
    if (this.json) {
      this.printJson(result);
      return exitCode;
    }
    const { escapeControls } = await import('../render/escape.js');
    for (const { severity, object, what, fix } of result.findings) {
      const word = this.paint(severity === 'note' ? 'cyan' : 'red', severity.padEnd(7));
      const subject = object === null ? what : `${object}: ${what}`;
      this.print(`${word}  ${escapeControls(subject)}\n         ${escapeControls(fix)}`);
    }
    this.note(`${result.environment}: ${result.ok ? 'no problem' : 'not as it should be'}`);
    return exitCode;
  }
}
