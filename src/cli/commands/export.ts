import { Command, Option } from 'clipanion';
import { HxError } from '../../base/errors.js';
import type { ExportChecksResult } from '../../handlers/export-checks.js';
import { EnvironmentCommand } from '../base.js';
import { escapeControls } from '../render/escape.js';

export class ExportChecksCommand extends EnvironmentCommand {
  static override paths = [['export', 'checks']];
  static override usage = Command.Usage({
    details:
      'Reads from Postgres the checks that the lake does not hold yet and writes them as Parquet files under ' +
      '`data/exports/ENV/dt=DAY/`, where `hx query` finds them. A check that was changed replaces the one in the ' +
      'lake, and a deleted one leaves it. Checks that are being stored at this moment wait for the next export, so ' +
      'none is ever missed.\n\n' +
      'It can be repeated, interrupted and run at once by several machines that share a lake: every check is in the ' +
      'lake once. `--since` and `--until` take some UTC days only, both included; the next export without them brings ' +
      'the rest. `hx export verify` compares the lake with the database. What is promised, and how to rebuild a ' +
      'damaged lake: docs/exports.md. Exits 1 also when all was exported but the files with changed and deleted checks ' +
      'could not be merged after it, as a damaged one does.\n\n' +
      'Every night at 02:15 by cron: `15 2 * * * cd /srv/hx && npx hx export checks --nightly --env production --quiet`',
    examples: [
      ['Every local check that is not in the lake yet', 'hx export checks'],
      ['The same as a nightly job of production', 'hx export checks --nightly --env production --quiet'],
      [
        'One week of production, as JSON',
        'hx export checks --env production --since 2026-11-01 --until 2026-11-07 --json',
      ],
    ],
  });

  since = Option.String('--since', { description: 'First day only, a UTC date YYYY-MM-DD' });
  until = Option.String('--until', { description: 'Last day, a UTC date YYYY-MM-DD; today by default' });
  all = Option.Boolean('--all,--nightly', false, {
    description: 'Every day, as without any date: says so in a script or a crontab',
  });

  async execute(): Promise<number> {
    const { since, until, all } = this;
    if (all && (since !== undefined || until !== undefined)) {
      throw new HxError(
        'usage',
        '--all (or --nightly) takes every day, so --since and --until do not go with it.',
      );
    }
    const result = await this.invoke('exportChecks', { since, until });
    if (this.json) this.printJson(result);
    else await this.show(result);
    if (result.not_compacted === null) return 0;
    this.context.stderr.write(`hx: Exported, but not compacted: ${escapeControls(result.not_compacted)}\n`);
    return 1;
  }

  private async show({
    env,
    since,
    until,
    days,
    files,
    rows,
    lake,
    waiting,
    waiting_for: holder,
    others,
  }: ExportChecksResult): Promise<void> {
    if (waiting > 0) {
      this.note(
        `${counted(waiting, 'check')} of ${env}${describeDates(since, until)} can only be exported when a transaction ` +
          `ends that is open on the server${describeHolder(holder)}.`,
      );
    }
    for (const other of others) {
      this.note(`The lake also holds checks of another database of ${env} (instance ${other}).`);
    }
    if (rows === 0) {
      const which = waiting === 0 ? 'every' : 'every other';
      this.print(`Nothing new: ${which} check of ${env}${describeDates(since, until)} is in the lake.`);
      return;
    }
    await this.printTable(
      [
        { header: 'day' },
        { header: 'checks', align: 'right' },
        { header: 'changed', align: 'right' },
        { header: 'deleted', align: 'right' },
      ],
      days.map(({ date, ...counts }) => [date, ...[counts.rows, counts.changed, counts.deleted].map(String)]),
    );
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    this.print(
      `\n${counted(rows, 'check')} of ${env}${describeDates(since, until)} in ${counted(files.length, 'file')}, ` +
        `${bytes} bytes, in ${lake}`,
    );
  }
}

function describeDates(since: string | null, until: string | null): string {
  if (since === null) return until === null ? '' : ` up to ${until}`;
  return since === until ? ` on ${since}` : ` from ${since} to ${until}`;
}

function describeHolder(holder: ExportChecksResult['waiting_for']): string {
  if (holder === null) return '';
  const { transaction, pid, prepared, database, login } = holder;
  const of = `${login === null ? '' : ` of ${login}`}${database === null ? '' : ` in database ${database}`}`;
  const how =
    prepared === null
      ? `process ${pid}`
      : `prepared as "${prepared}"; COMMIT PREPARED or ROLLBACK PREPARED ends it`;
  return escapeControls(`: ${transaction}${of}, ${how}`);
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
