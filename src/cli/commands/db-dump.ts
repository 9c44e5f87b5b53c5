import { isAbsolute, join } from 'node:path';
import { Command, Option } from 'clipanion';
import { HxError } from '../../base/errors.js';
import { EnvironmentCommand } from '../base.js';
import { STANDARD_INPUT } from '../input.js';
import { rowCount } from '../render/formats/index.js';
import type { TableColumn } from '../render/table.js';

/** First characters of a hash, as a person compares them; `--json` has all of it. */
const HASH_SHOWN = 16;
const COLUMNS: readonly TableColumn[] = [
  { header: 'table' },
  { header: 'rows', align: 'right' },
  { header: 'sha256' },
];

abstract class DumpCommand extends EnvironmentCommand {
  /** An absolute path for a file of the command line. */
  protected pathOf(name: string): string {
    if (name === STANDARD_INPUT) {
      throw new HxError('usage', 'A dump is a file: it appears only once it is whole, and is read twice.', {
        hint: 'Give the path of a file.',
      });
    }
    return isAbsolute(name) ? name : join(this.context.folder, name);
  }

  protected async printTables(
    tables: readonly { name: string; rows: number; sha256: string }[],
  ): Promise<void> {
    const rows = tables.map(({ name, rows, sha256 }) => [name, String(rows), sha256.slice(0, HASH_SHOWN)]);
    await this.printTable(COLUMNS, rows);
  }
}

export class DbDumpCommand extends DumpCommand {
  static override paths = [['db', 'dump']];
  static override usage = Command.Usage({
    details:
      'Writes every row of the environment, as it was at one moment, to one compressed file with a checksum of ' +
      'each table; docs/dumps.md describes it. Meanwhile others read and write on. The file appears only when it is ' +
      'whole and replaces nothing. It holds mail addresses: only you can read it.\n\n' +
      'The schema is not in it (the migrations are), nor are identity and ledger, of which every database keeps its ' +
      'own. Production is kept by Neon and not dumped.',
    examples: [
      ['To a file below data/dumps, named after the moment', 'hx db dump'],
      ['The development database', 'hx db dump --env neon-dev -o before-the-change.dump.gz'],
    ],
  });

  output = Option.String('-o,--output', { description: 'The file to make' });

  async execute(): Promise<void> {
    const output = this.output === undefined ? undefined : this.pathOf(this.output);
    const result = await this.invoke('dbDump', { output });
    if (this.json) return this.printJson(result);
    await this.printTables(result.tables);
    const { environment, rows, path, bytes, fingerprint, elapsedMs } = result;
    const size =
      bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
    this.print(`schema ${fingerprint.slice(0, HASH_SHOWN)}`);
    this.print(
      `Dumped ${rowCount(rows)} of ${environment} to ${path}: ${size}, ${(elapsedMs / 1_000).toFixed(1)} s.`,
    );
    for (const why of new Set(result.leftOut.map((one) => one.why))) {
      const names = result.leftOut.filter((one) => one.why === why).map(({ name }) => name);
      this.note(`Not in it: ${names.join(', ')} (${why}).`);
    }
  }
}

export class DbRestoreCommand extends DumpCommand {
  static override paths = [['db', 'restore']];
  static override usage = Command.Usage({
    details:
      'Puts the rows of a dump into a migrated database without rows, in one transaction, and commits it only when ' +
      'the database then has the same rows and the same schema. The dump is read to its end before anything is ' +
      'written. Every guard stays in force, and the database keeps its own identity.\n\n' +
      'A dump goes back into the environment it came from, as its rows name it: a dump of development does not go ' +
      'into local. The migrations must be those of the dump. Production is kept by Neon and not restored.',
    examples: [
      ['A local database as it was', 'hx db reset --yes && hx db up && hx migrate && hx db restore FILE'],
      ['Whether it would work', 'hx db restore FILE --dry-run'],
    ],
  });

  file = Option.String({ name: 'FILE' });
  dryRun = Option.Boolean('--dry-run', false, {
    description: 'Check the dump and the database, and write nothing',
  });

  async execute(): Promise<void> {
    const result = await this.invoke('dbRestore', { file: this.pathOf(this.file), dryRun: this.dryRun });
    if (this.json) return this.printJson(result);
    await this.printTables(result.tables);
    const { environment, rows, fingerprint, elapsedMs, restored, dumpedAt } = result;
    this.print(`schema ${fingerprint.slice(0, HASH_SHOWN)}`);
    if (!restored) {
      this.print(`The dump of ${dumpedAt} is whole and would go into ${environment}: ${rowCount(rows)}.`);
      return;
    }
    const seconds = (elapsedMs / 1_000).toFixed(1);
    this.print(
      `Restored ${rowCount(rows)} of ${dumpedAt} into ${environment} and read them back: the same rows, the same schema, ${seconds} s.`,
    );
  }
}
