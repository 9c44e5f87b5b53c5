import { Command, Option } from 'clipanion';
import * as t from 'typanion';
import { askYesNo } from '../ask.js';
import { EnvironmentCommand } from '../base.js';

const TO = { description: 'Number of the last migration to apply', validator: t.isNumber() };

export class MigrateCommand extends EnvironmentCommand {
  static override paths = [['migrate'], ['migrate', 'up']];
  static override usage = Command.Usage({
    details:
      'Each migration runs in a transaction of its own, under a lock, so two at once are safe. The first one ' +
      'gives the database its identity: from then on it belongs to the environment it was migrated for.',
    examples: [
      ['Bring the local database up to date', 'hx migrate'],
      ['The development branch, up to 0003', 'hx migrate --env development --to 3'],
    ],
  });

  to = Option.String('--to', TO);
  yes = Option.Boolean('--yes', false, { description: 'Migrate production without being asked' });

  async execute(): Promise<number> {
    let { yes } = this;
    if (!yes && this.settings.environment === 'production') {
      const answer = await askYesNo('Migrate the production database?', this.context);
      if (answer === false) {
        this.note('Nothing was applied.');
        return 1;
      }
      yes = answer === true;
    }
    const result = await this.invoke('migrate', { to: this.to, yes });
    if (this.json) this.printJson(result);
    else if (result.applied.length === 0) this.print(`${result.environment}: nothing to apply`);
    else for (const { name, elapsedMs } of result.applied) this.print(`${name}  ${elapsedMs.toFixed(0)} ms`);
    return 0;
  }
}

export class MigrateStatusCommand extends EnvironmentCommand {
  static override paths = [['migrate', 'status']];
  static override usage = Command.Usage({
    examples: [['As JSON', 'hx migrate status --json']],
  });

  async execute(): Promise<number> {
    const result = await this.invoke('migrateStatus', {});
    const exitCode = result.pending.length === 0 ? 0 : 1;
    if (this.json) {
      this.printJson(result);
      return exitCode;
    }
    for (const { name, appliedAt } of result.applied) {
      this.print(`${this.paint('green', 'applied')}  ${name}  ${appliedAt.toISOString()}`);
    }
    for (const { name } of result.pending) this.print(`${this.paint('yellow', 'pending')}  ${name}`);
    return exitCode;
  }
}

export class MigratePlanCommand extends EnvironmentCommand {
  static override paths = [['migrate', 'plan']];
  static override usage = Command.Usage({
    examples: [['What development still lacks', 'hx migrate plan --env development']],
  });

  to = Option.String('--to', TO);

  async execute(): Promise<void> {
    const result = await this.invoke('migratePlan', { to: this.to });
    if (this.json) this.printJson(result);
    else if (result.pending.length === 0) this.print(`${result.environment}: nothing to apply`);
    else this.print(result.pending.map(({ name, sql }) => `-- ${name}\n${sql.trim()}\n`).join('\n'));
    for (const { file, line, rule, subject } of result.findings) {
      this.note(`${file}:${line}  ${rule}  ${subject}`);
    }
    if (result.findings.length > 0) this.note('See hx migrate lint for what happens and the safe way.');
  }
}
