import { Command, Option } from 'clipanion';
import type { MigrateLintResult, MigrateRule } from '../../handlers/migration-files.js';
import { HxCommand } from '../base.js';
import type { Paint } from '../render/style.js';

export class MigrateLintCommand extends HxCommand {
  static override paths = [['migrate', 'lint']];
  static override usage = Command.Usage({
    details:
      'Needs no database. Each finding says which lock it takes or what it breaks, and the safe way. Where it is ' +
      'safe all the same, a line at the top of the file says why: -- hx: allow=RULE reason=WORDS. hx migrate refuses ' +
      'findings on development and production, and notes them on local.',
    examples: [
      ['All migrations', 'hx migrate lint'],
      ['One file, for a program', 'hx migrate lint migrations/0001_identity.sql --json'],
      ['The rules', 'hx migrate lint --rules'],
    ],
  });

  rules = Option.Boolean('--rules', false, { description: 'List the rules instead' });
  files = Option.Rest({ name: 'FILE' });

  async execute(): Promise<number> {
    if (this.rules) {
      const rules = await this.invoke('migrateRules', {});
      if (this.json) this.printJson(rules);
      else this.print(rules.map((rule) => renderRule(rule, this.paint)).join('\n'));
      return 0;
    }
    const result = await this.invoke('migrateLint', { files: this.files });
    if (this.json) this.printJson(result);
    else this.print(renderFindings(result, this.paint));
    return result.findings.length === 0 ? 0 : 1;
  }
}

export class MigrateNewCommand extends HxCommand {
  static override paths = [['migrate', 'new']];
  static override usage = Command.Usage({
    details:
      'For those who work on hx. Fill the file in, see what hx migrate lint says, then write it down with ' +
      'hx migrate sum; until then hx migrate refuses it.',
    examples: [
      ['A migration that runs in one transaction', 'hx migrate new add_notes'],
      ['One that builds an index beside running traffic', 'hx migrate new index_notes --steps'],
    ],
  });

  steps = Option.Boolean('--steps', false, {
    description: 'Run each statement by itself, as CONCURRENTLY needs it',
  });
  name = Option.String({ name: 'NAME' });

  async execute(): Promise<void> {
    const result = await this.invoke('migrateNew', { name: this.name, steps: this.steps });
    if (this.json) this.printJson(result);
    else this.print(result.file);
    this.note('Fill it in, then: hx migrate lint, hx migrate sum, hx migrate');
  }
}

export class MigrateSumCommand extends HxCommand {
  static override paths = [['migrate', 'sum']];
  static override usage = Command.Usage({
    details: 'For those who work on hx. Lines that are there already change only with --rewrite.',
    examples: [['After adding a migration', 'hx migrate sum']],
  });

  rewrite = Option.Boolean('--rewrite', false, {
    description: 'Also for files that were edited or renumbered before they were applied anywhere',
  });

  async execute(): Promise<void> {
    const result = await this.invoke('migrateSum', { rewrite: this.rewrite });
    if (this.json) this.printJson(result);
    else if (result.added.length === 0) this.print('migrations.sum is up to date');
    else for (const name of result.added) this.print(`written down: ${name}`);
  }
}

function renderFindings({ files, findings }: MigrateLintResult, paint: Paint): string {
  const count = files.length === 1 ? '1 migration' : `${files.length} migrations`;
  if (findings.length === 0) return `${count}: nothing unsafe`;
  const lines = findings.flatMap(({ rule, file, line, subject, danger, safe }) => [
    `${paint('bold', `${file}:${line}`)}  ${paint('yellow', rule)}  ${subject}`,
    `   ${danger}`,
    `   ${paint('green', 'Safe:')} ${safe}`,
  ]);
  return [...lines, `${findings.length} ${findings.length === 1 ? 'finding' : 'findings'} in ${count}`].join(
    '\n',
  );
}

function renderRule({ name, finds, danger, safe, isWaivable }: MigrateRule, paint: Paint): string {
  return [
    `${paint('bold', name)}  ${finds}${isWaivable ? '' : ' (cannot be waived)'}`,
    `   ${danger}`,
    `   ${paint('green', 'Safe:')} ${safe}`,
  ].join('\n');
}
