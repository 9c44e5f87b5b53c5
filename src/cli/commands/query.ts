import { isAbsolute, join } from 'node:path';
import { Command, Option } from 'clipanion';
import { HxError } from '../../base/errors.js';
import type { QuerySession } from '../../handlers/query-session.js';
import { HxCommand } from '../base.js';
import { isTerminal } from '../context.js';
import { readInput, STANDARD_INPUT } from '../input.js';
import type { Format } from '../render/formats/index.js';

export class QueryCommand extends HxCommand {
  static override paths = [['query']];
  static override usage = Command.Usage({
    details:
      'Runs SQL (DuckDB) over the Parquet files of the lake, and over nothing else; `SHOW TABLES` lists the ' +
      'views. Several statements, set apart by `;`, run in order. Without SQL it opens a shell on a terminal, ' +
      'and otherwise reads SQL from standard input. `@name` runs a ready query, `--list` shows them.\n\n' +
      'Formats: table, csv (RFC 4180), json (one array), ndjson, markdown, parquet, and chart for ' +
      'a result of two columns, a label and a number. A terminal gets a table ' +
      'of up to 200 rows, a pipe gets csv with every row; `-o FILE` takes the format from the extension and ' +
      'appears only when it is whole. In JSON, whole numbers beyond 2^53 and decimals are strings, so that no ' +
      'digit is lost. NULL is an empty field in csv, where the empty text is `""`. In Parquet, JSON, lists and ' +
      'structs are text: cast them where they are read, `config_json::JSON`.\n\n' +
      'A lake on S3 (`HX_LAKE_URL`) is read where it is when DuckDB has its extension httpfs; else every partition ' +
      'is fetched first and kept for the next time, within `HX_LAKE_CACHE_MB`. `HX_LAKE_READ` chooses, and the first ' +
      'line on standard error says which it was. `--fetch-since` and `--fetch-env` see, and fetch, less.\n\n' +
      '`--param` values bind to `$name` in the SQL as text: cast where a number is meant, `$n::int`. The ready ' +
      'queries and their parameters: docs/queries.md.',
    examples: [
      ['The shell', 'hx query'],
      ['One question', 'hx query "SELECT model, count(*) FROM checks GROUP BY 1"'],
      ['A ready query with a parameter', 'hx query @prior_shift --param env_b=development'],
      ['Against claims whose truth is known', 'hx query @calibration --param labels=data/claims/known.jsonl'],
      ['A file of statements into a spreadsheet', 'hx query -f report.sql -o report.csv'],
      ['Bars', 'hx query "SELECT model, count(*) AS n FROM checks GROUP BY 1" --format chart'],
      [
        'The last days of production, of a lake on S3',
        'hx query @daily_volume --fetch-since 2026-11-01 --fetch-env production',
      ],
      ['Into another program', 'hx query "FROM checks" --format ndjson | jq .claim'],
    ],
  });

  sql = Option.String({ name: 'SQL|@name|-', required: false });
  file = Option.String('-f,--file', { description: 'Read the SQL from a file, or - for standard input' });
  parameters = Option.Array('--param', [], { description: 'A value for $name in the SQL: name=value' });
  format = Option.String('--format', { description: 'table, csv, json, ndjson, markdown, chart or parquet' });
  output = Option.String('-o,--output', { description: 'Write to this file instead of standard output' });
  fetchSince = Option.String('--fetch-since', {
    description: 'Of a lake on S3, see the days from this UTC date on only: YYYY-MM-DD',
  });
  fetchEnv = Option.String('--fetch-env', { description: 'Of a lake on S3, see this environment only' });
  list = Option.Boolean('--list', false, { description: 'List the ready queries' });

  async execute(): Promise<void> {
    if (this.list) return this.printList();
    const destination = await this.destination();
    const text = await this.readSql();
    await this.withSession(async (session) => {
      if (text === undefined) await this.openShell(session, destination);
      else await this.answer(session, text, destination);
    });
  }

  /** The SQL asked for; `undefined` where the shell is meant. */
  private async readSql(): Promise<string | undefined> {
    if (this.sql !== undefined && this.file !== undefined) {
      throw new HxError('usage', 'The SQL is given twice: as an argument and as a file.', {
        hint: 'Leave one of them out.',
      });
    }
    if (this.file !== undefined) return readInput(this.file, this.context);
    if (this.sql === STANDARD_INPUT) return readInput(STANDARD_INPUT, this.context);
    if (this.sql !== undefined) return this.sql;
    const { stdin, stdout } = this.context;
    if (!isTerminal(stdin)) return readInput(STANDARD_INPUT, this.context);
    const [parameter] = this.parameters;
    if (parameter !== undefined) {
      throw new HxError('usage', `--param ${parameter} belongs to a statement, and there is none.`, {
        hint: 'Name a ready query too: hx query @name --param name=value. In the shell it is @name name=value.',
      });
    }
    if (isTerminal(stdout) && this.output === undefined) return undefined;
    throw new HxError('usage', 'There is no SQL to run, and the shell needs a terminal to write to.', {
      hint: 'Give a statement: hx query "SELECT count(*) FROM checks".',
    });
  }

  /** Where the result goes and in which format; checked before anything runs. */
  private async destination(): Promise<Destination> {
    const { formatOfFile, parseFormat } = await import('../render/formats/index.js');
    const asked = this.json ? 'json' : this.format === undefined ? undefined : parseFormat(this.format);
    if (this.json && this.format !== undefined && this.format !== 'json') {
      throw new HxError('usage', `--json and --format ${this.format} exclude each other.`);
    }
    if (this.output !== undefined) {
      const path = isAbsolute(this.output) ? this.output : join(this.context.folder, this.output);
      return { format: asked ?? formatOfFile(path), path };
    }
    if (asked === 'parquet') {
      throw new HxError('usage', 'Parquet is binary and goes to a file only.', {
        hint: 'Add -o result.parquet.',
      });
    }
    return { format: asked ?? (isTerminal(this.context.stdout) ? 'table' : 'csv') };
  }

  private async answer(session: QuerySession, text: string, { format, path }: Destination): Promise<void> {
    const { parseParameters, statementsFor } = await import('../query/request.js');
    const { printStatements, sheetOf, writeResults } = await import('../query/print.js');
    const source = { session, readFile: (name: string) => readInput(name, this.context) };
    const statements = await statementsFor(source, text, parseParameters(this.parameters));
    const { signal, stdout } = this.context;
    if (path !== undefined) {
      await writeResults(session, statements, format, path, signal);
      this.note(`Wrote ${path}.`);
      return;
    }
    if (format === 'parquet') throw new HxError('bug', 'Parquet has no place on standard output.');
    const note = await printStatements(
      session,
      statements,
      format,
      sheetOf(stdout, signal, this.paint),
      signal,
    );
    if (note !== undefined) this.note(note);
  }

  private async openShell(session: QuerySession, { format }: Destination): Promise<void> {
    if (format === 'parquet') throw new HxError('bug', 'Parquet has no place in the shell.');
    const { runShell } = await import('../shell/index.js');
    await runShell(session, this.context, { dataDir: this.settings.dataDir, paint: this.paint, format });
  }

  private async withSession(work: (session: QuerySession) => Promise<void>): Promise<void> {
    const session = await this.invoke('querySession', {
      fetchSince: this.fetchSince,
      fetchEnv: this.fetchEnv,
    });
    try {
      await work(session);
    } finally {
      session.close();
    }
  }

  private async printList(): Promise<void> {
    const queries = await this.invoke('queryList', {});
    if (this.json) return this.printJson(queries);
    const { renderQueryList } = await import('../query/list.js');
    this.print(renderQueryList(queries, this.paint));
  }
}

interface Destination {
  readonly format: Format;
  /** Absolute path of the file to write; absent for standard output. */
  readonly path?: string;
}
