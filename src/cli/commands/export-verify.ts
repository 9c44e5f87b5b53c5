import { Command, Option } from 'clipanion';
import type { ExportVerifyResult } from '../../handlers/export-verify.js';
import { EnvironmentCommand } from '../base.js';

/** Problems that a person reads one by one. */
const SHOWN_PROBLEMS = 20;

const WAY_OUT =
  'move unknown files out of the lake; restore lost or damaged ones from a backup, or make the environment anew ' +
  'as docs/exports.md says.';

export class ExportVerifyCommand extends EnvironmentCommand {
  static override paths = [['export', 'verify']];
  static override usage = Command.Usage({
    details:
      'Reads every check of the database and every exported one of the lake, and compares them value by value, each ' +
      'day by its count and a sum over all values. Names each check that is missing from the lake, twice in it, ' +
      'changed, deleted but still there, or not in the database; files that cannot be read, or whose names hx does ' +
      'not give, such as copies, which no query reads; and transactions that the chain of exports leaves out or ' +
      'covers twice. Checks that wait for the next export are no problem. Exits 1 on any problem.',
    examples: [
      ['The local lake', 'hx export verify'],
      [
        'One month of production, for a program',
        'hx export verify --env production --since 2026-11-01 --json',
      ],
    ],
  });

  since = Option.String('--since', { description: 'First day, a UTC date YYYY-MM-DD; every day by default' });
  until = Option.String('--until', {
    description: 'Last day, a UTC date YYYY-MM-DD; today when --since is given',
  });

  async execute(): Promise<number> {
    const result = await this.invoke('exportVerify', { since: this.since, until: this.until });
    if (this.json) this.printJson(result);
    else await this.show(result);
    return result.is_right ? 0 : 1;
  }

  private async show(result: ExportVerifyResult): Promise<void> {
    const { days, problems, chain, unfinished } = result;
    if (days.length > 0) {
      const columns = [
        ...[
          { header: 'day' },
          { header: 'in database', align: 'right' as const },
          { header: 'in lake', align: 'right' as const },
        ],
        ...[
          { header: 'checksums' },
          { header: 'waiting', align: 'right' as const },
          { header: 'problems', align: 'right' as const },
        ],
      ];
      const rows = days.map((day) => [
        ...[day.date, String(day.in_database), String(day.in_lake)],
        day.database_checksum === day.lake_checksum
          ? `${day.lake_checksum} both`
          : `${day.database_checksum} ${day.lake_checksum}`,
        ...[String(day.waiting), String(day.problems)],
      ]);
      await this.printTable(columns, rows);
      this.print('');
    }
    for (const { date, problem, what } of problems.slice(0, SHOWN_PROBLEMS))
      this.print(`${date}  ${problem}: ${what}`);
    const count = days.reduce((sum, day) => sum + day.problems, 0);
    if (count > SHOWN_PROBLEMS)
      this.print(`... and ${count - SHOWN_PROBLEMS} more; --json names up to a thousand.`);
    for (const { problem, lo, hi } of chain)
      this.print(`The chain of exports has a ${problem} at transactions ${lo} to ${hi}.`);
    for (const { lo, hi } of unfinished) {
      this.note(`An export of transactions ${lo} to ${hi} has not ended; hx export checks ends it.`);
    }
    const rows = days.reduce((sum, day) => sum + day.in_lake, 0);
    if (result.is_right)
      this.print(`Right: ${rows} ${rows === 1 ? 'check' : 'checks'} of ${result.env}, value by value.`);
    else {
      this.print(
        `\n${count + chain.length} ${count + chain.length === 1 ? 'problem' : 'problems'} in ${result.lake}.`,
      );
      this.print(`What to do: ${WAY_OUT}`);
    }
  }
}
