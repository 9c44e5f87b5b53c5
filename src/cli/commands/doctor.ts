import { Command } from 'clipanion';
import type { Finding } from '../../handlers/doctor.js';
import { EnvironmentCommand } from '../base.js';

const MARKS = { ok: ['green', '✓'], missing: ['yellow', '–'], broken: ['red', '✗'] } as const;

export class DoctorCommand extends EnvironmentCommand {
  static override paths = [['doctor']];
  static override usage = Command.Usage({
    details:
      "Tries every part hx uses and shows where each setting's value comes from, secrets masked. Ends with 1 when " +
      'something that hx always needs is broken; a missing database, Docker or model is only named. Of a database it ' +
      'says too whether its migrations are those of this hx, and whether guards, owners, roles and logins keep its ' +
      'environment apart.',
    examples: [
      ['This machine', 'hx doctor'],
      ['With the production database', 'hx doctor --env production'],
    ],
  });

  async execute(): Promise<number> {
    const result = await this.invoke('doctor', {});
    if (this.json) this.printJson(result);
    else {
      for (const finding of result.findings) this.printFinding(finding);
      this.print('');
      const columns = [{ header: 'setting' }, { header: 'value' }, { header: 'source' }];
      await this.printTable(
        columns,
        result.settings.map(({ name, value, source }) => [name, value, source]),
      );
    }
    return result.findings.some(({ state }) => state === 'broken') ? 1 : 0;
  }

  private printFinding({ name, state, detail, fix }: Finding): void {
    const [colour, mark] = MARKS[state];
    this.print(`${this.paint(colour, mark)} ${name}: ${detail}`);
    if (fix !== null) this.print(`    ${this.paint('cyan', fix)}`);
  }
}
