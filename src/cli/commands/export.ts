import { Command, Option } from 'clipanion';
import type { ExportChecksResult } from '../../handlers/export-checks.js';
import { EnvironmentCommand } from '../base.js';

export class ExportChecksCommand extends EnvironmentCommand {
  static override paths = [['export', 'checks']];
  static override usage = Command.Usage({
    details:
      'Reads the checks of whole UTC days from Postgres and writes one Parquet file a day under ' +
      '`data/exports/ENV/dt=DAY/`, where `hx query` finds them. Each day is replaced whole and at once, so an ' +
      'export can be repeated, for example every night, and nothing is published twice. What another database of ' +
      'the environment published, one since made anew for example, stays.',
    examples: [
      ['The local checks from a day on', 'hx export checks --since 2026-11-01'],
      [
        'One week of production, as JSON',
        'hx export checks --env production --since 2026-11-01 --until 2026-11-07 --json',
      ],
    ],
  });

  since = Option.String('--since', { required: true, description: 'First day, a UTC date YYYY-MM-DD' });
  until = Option.String('--until', { description: 'Last day, a UTC date YYYY-MM-DD; today by default' });

  async execute(): Promise<void> {
    const { since, until } = this;
    const result = await this.invoke('exportChecks', { since, until });
    if (this.json) this.printJson(result);
    else await this.show(result);
  }

  private async show({ env, since, until, days, removed, rows }: ExportChecksResult): Promise<void> {
    const range = since === until ? `on ${since}` : `from ${since} to ${until}`;
    for (const date of removed) this.print(`Removed the file of ${date}: it has no checks any more.`);
    if (rows === 0) {
      this.print(`No checks of ${env} ${range}.`);
      return;
    }
    await this.printTable(
      [
        { header: 'day' },
        { header: 'checks', align: 'right' },
        { header: 'bytes', align: 'right' },
        { header: 'file' },
      ],
      days.map((day) => [day.date, String(day.rows), String(day.bytes), day.path]),
    );
    this.print(`\n${rows} ${rows === 1 ? 'check' : 'checks'} of ${env} ${range}.`);
  }
}
