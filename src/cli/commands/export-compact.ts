import { Command, Option } from 'clipanion';
import { EnvironmentCommand } from '../base.js';

export class ExportCompactCommand extends EnvironmentCommand {
  static override paths = [['export', 'compact']];
  static override usage = Command.Usage({
    details:
      "Makes one file, sorted by time, of each day of an environment's part of the lake: every small file costs a " +
      'query time. Of a check that was changed it keeps the newest, of a deleted one nothing. It happens by itself ' +
      'when a day has more than 64 small files, or the days before today have as many together.\n\n' +
      'Queries, exports and research go on meanwhile, and see every row once. The files that were replaced stay for ' +
      'an hour, for queries that are reading them; the next compaction after that removes them. It needs no database.',
    examples: [
      ['Every local day', 'hx export compact'],
      ['Two days of production', 'hx export compact --env production --day 2026-11-01 --day 2026-11-02'],
    ],
  });

  days = Option.Array('--day', {
    description: 'A UTC date YYYY-MM-DD, can be repeated; every day by default',
  });

  async execute(): Promise<void> {
    const result = await this.invoke('exportCompact', this.days === undefined ? {} : { days: this.days });
    if (this.json) return this.printJson(result);
    const { env, days, removed, kept } = result;
    if (days.length === 0) this.print(`Every day of ${env} that can be compacted is one file already.`);
    else {
      await this.printTable(
        [
          { header: 'day' },
          { header: 'files', align: 'right' },
          { header: 'rows', align: 'right' },
          { header: 'bytes', align: 'right' },
          { header: 'now in' },
        ],
        days.map((day) => [
          day.date,
          String(day.files),
          String(day.rows),
          String(day.bytes),
          day.name ?? '(no row is left)',
        ]),
      );
    }
    const notes = [
      removed === 0 ? '' : `Removed ${count(removed, 'file')} that earlier compactions had replaced.`,
      kept === 0 ? '' : `${count(kept, 'replaced file')} can be removed after an hour.`,
    ].filter((note) => note !== '');
    if (notes.length > 0) this.print(`\n${notes.join(' ')}`);
  }
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
