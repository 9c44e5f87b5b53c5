import { Command, Option } from 'clipanion';
import * as t from 'typanion';
import { HxError } from '../../base/errors.js';
import { askText, canAsk } from '../ask.js';
import { EnvironmentCommand } from '../base.js';

const TO = { description: 'Number of the last migration to apply', validator: t.isNumber() };

export class MigrateCommand extends EnvironmentCommand {
  static override paths = [['migrate'], ['migrate', 'up']];
  static override usage = Command.Usage({
    details:
      'Each migration runs in a transaction of its own, or statement by statement where its header says mode=steps, ' +
      'under a lock, so two at once are safe, and a run that died is carried on. The first one gives the database ' +
      'its identity: from then on it belongs to the environment it was migrated for. Development takes only what ' +
      'local has applied, production only what development has, on the same schema and with the same result. ' +
      'Production asks on a terminal for the database and the beginning of the plan hash; elsewhere it needs --confirm.',
    examples: [
      ['Bring the local database up to date', 'hx migrate'],
      ['The development branch, up to 0003', 'hx migrate --env development --to 3'],
      ['Production, from a script', 'hx migrate --env production --confirm 1a2b3c4d'],
    ],
  });

  to = Option.String('--to', TO);
  confirm = Option.String('--confirm', {
    description: 'The first 8 characters or more of the hash that hx migrate plan shows',
  });

  async execute(): Promise<number> {
    let { confirm } = this;
    if (confirm === undefined && this.settings.environment === 'production' && canAsk(this.context)) {
      confirm = await this.askForPlan();
      if (confirm === undefined) return 1;
    }
    const result = await this.invoke('migrate', { to: this.to, ...(confirm === '' ? {} : { confirm }) });
    if (this.json) this.printJson(result);
    else if (result.applied.length === 0) this.print(`${result.environment}: nothing to apply`);
    else for (const { name, elapsedMs } of result.applied) this.print(`${name}  ${elapsedMs.toFixed(0)} ms`);
    return 0;
  }

  /**
   * Shows the plan and has the user type what it is for.
   * @returns what confirms the plan, '' when there is nothing to confirm, undefined after another answer.
   */
  private async askForPlan(): Promise<string | undefined> {
    const { planHash, blocker, pending, environment, place } = await this.invoke('migratePlan', {
      to: this.to,
    });
    if (planHash === null) return '';
    if (blocker !== null) {
      const { code, message, hint, facts } = blocker;
      throw new HxError(code, message, { hint: hint ?? undefined, facts });
    }
    const names = pending.map(({ name }) => name).join(', ');
    this.context.stderr.write(
      `Plan ${planHash.slice(0, 8)} applies ${names} to ${environment} (${place}).\n`,
    );
    if ((await askText(`Type the name of that database or branch (${place}):`, this.context)) !== place) {
      this.note('Nothing was applied: that is not its name.');
      return undefined;
    }
    const typed = await askText('Type the first 8 characters of the plan:', this.context);
    if (typed.length >= 8 && planHash.startsWith(typed)) return typed;
    this.note('Nothing was applied: the hash of the plan does not begin with that.');
    return undefined;
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
    for (const { name, mode, appliedAt, elapsedMs, planHash, commentsChanged } of result.applied) {
      const plan = planHash === null ? '' : `  plan ${planHash.slice(0, 8)}`;
      const facts = `${(mode ?? '').padEnd(5)}  ${appliedAt.toISOString()}  ${elapsedMs.toFixed(0)} ms${plan}`;
      const edited = commentsChanged ? '  (comments edited since: hx migrate repair)' : '';
      this.print(`${this.paint('green', 'applied')}  ${name}  ${facts}${edited}`);
    }
    const begun = result.steps[0]?.number;
    for (const { number, name, mode } of result.pending) {
      const state = number === begun ? this.paint('red', 'begun  ') : this.paint('yellow', 'pending');
      this.print(`${state}  ${name}  ${mode}`);
    }
    for (const { step, statement, startedAt, finishedAt } of result.steps) {
      const [first = ''] = statement.split('\n');
      const state = finishedAt === null ? this.paint('red', 'unfinished') : 'finished';
      this.print(`  step ${step} ${state}  ${startedAt.toISOString()}  ${first}`);
    }
    if (result.planHash !== null) this.print(`plan ${result.planHash}`);
    return exitCode;
  }
}

export class MigratePlanCommand extends EnvironmentCommand {
  static override paths = [['migrate', 'plan']];
  static override usage = Command.Usage({
    details:
      'Prints the SQL and the hash of the plan, which covers the statements and not their comments, so it is the ' +
      'same for every environment that lacks the same migrations. Exits 1 when it must not run there now.',
    examples: [['What development still lacks', 'hx migrate plan --env development']],
  });

  to = Option.String('--to', TO);

  async execute(): Promise<number> {
    const result = await this.invoke('migratePlan', { to: this.to });
    const { environment, place, planHash, pending, blocker } = result;
    const exitCode = blocker === null ? 0 : 1;
    if (this.json) {
      this.printJson(result);
      return exitCode;
    }
    if (planHash === null) this.print(`${environment}: nothing to apply`);
    else this.print(`-- plan ${planHash} for ${environment} (${place})`);
    this.print(pending.map(({ name, sql }) => `-- ${name}\n${sql.trim()}\n`).join('\n'));
    for (const { file, line, rule, subject } of result.findings) {
      this.note(`${file}:${line}  ${rule}  ${subject}`);
    }
    if (result.findings.length > 0) this.note('See hx migrate lint for what happens and the safe way.');
    if (blocker !== null) {
      const hint = blocker.hint === null ? '' : `\n    ${blocker.hint}`;
      this.context.stderr.write(`It must not run there now: ${blocker.message}${hint}\n`);
    }
    return exitCode;
  }
}
