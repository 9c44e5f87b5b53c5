import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { diskHint } from '../../base/disk-hints.js';
import { HxError, messageOf } from '../../base/errors.js';
import { makeWorkFolder } from '../../base/left-overs.js';
import type { Column } from '../../rpl/column.js';
import { EXPORT_COLUMNS } from '../../rpl/record.js';
import { TRANSFER } from '../../rpl/transfer.js';
import { quote } from '../catalog/catalog.js';
import { loadDuckdb } from '../engine/duckdb-api.js';
import { textType, valueFromText } from '../files/schema.js';
import { LOAD_FOLDER } from '../left-overs.js';
import { Fifos } from './fifo.js';

/** What DuckDB may hold: a few row groups and its buffers; the rest streams. */
const MEMORY_LIMIT = '300MB';
/** Bytes of text that are parsed at once. */
const BUFFER_BYTES = 4 * 1024 * 1024;
/** The longest row; a claim and its JSON take a few thousand bytes. */
const LONGEST_ROW_BYTES = 2 * 1024 * 1024;

/** DuckDB beside the lake, fed with rows that stream out of Postgres as text. */
export class BulkLoader {
  private readonly instance: DuckDBInstance;
  private readonly connection: DuckDBConnection;
  private readonly folder: string;
  private readonly fifos: Fifos;

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection, folder: string) {
    this.instance = instance;
    this.connection = connection;
    this.folder = folder;
    this.fifos = new Fifos(folder);
  }

  static async open(memoryLimit = MEMORY_LIMIT): Promise<BulkLoader> {
    const { DuckDBInstance: Instance } = loadDuckdb();
    const folder = makeWorkFolder(LOAD_FOLDER);
    const instance = await Instance.create(':memory:', {
      // The second processor is Postgres'; and one thread keeps the rows in their order.
      threads: '1',
      memory_limit: memoryLimit,
      temp_directory: join(folder, 'spill'),
      preserve_insertion_order: 'false',
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
    });
    const connection = await instance.connect();
    await connection.run("SET TimeZone = 'UTC'");
    return new BulkLoader(instance, connection, folder);
  }

  /**
   * Runs a statement over rows that arrive as text.
   * @param statement makes the statement of a table's name, which it may read once.
   * @param extra columns that come after those of EXPORT_COLUMNS.
   * @returns how many rows the statement wrote.
   * @throws whatever the text's source throws, else what DuckDB refuses; HxError.
   */
  async load(
    text: AsyncIterable<Uint8Array>,
    statement: (rows: string) => string,
    signal: AbortSignal,
    extra: readonly Column[] = [],
  ): Promise<number> {
    const fifo = await this.fifos.next();
    const stop = new AbortController();
    const source = new Source(text);
    const sent = fifo.send(source.batches(), AbortSignal.any([signal, stop.signal])).catch(() => {
      // A pipe that breaks has a reader that says why; whatever else happened, the reader must not wait for more.
      this.connection.interrupt();
    });
    const loaded = this.connection.run(statement(readText(fifo.path, extra)));
    try {
      const [outcome] = await Promise.allSettled([loaded, fifo.hangUp(sent, loaded)]);
      stop.abort();
      await sent;
      signal.throwIfAborted();
      // A source that fails ends the pipe like one that has come to its end.
      if (source.failure !== undefined) throw source.failure.error;
      if (outcome.status === 'rejected') throw loadError(outcome.reason);
      return outcome.value.rowsChanged;
    } finally {
      await fifo.remove();
    }
  }

  /** Runs a statement of ours; rows come as plain values. */
  async query(sql: string): Promise<unknown[][]> {
    return (await this.connection.runAndReadAll(sql)).getRowsJS() as unknown[][];
  }

  async close(): Promise<void> {
    this.connection.closeSync();
    this.instance.closeSync();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Batches, and the error by which they ended before their time. */
class Source {
  failure: { readonly error: unknown } | undefined;
  private readonly inner: AsyncIterable<Uint8Array>;

  constructor(inner: AsyncIterable<Uint8Array>) {
    this.inner = inner;
  }

  async *batches(): AsyncGenerator<Uint8Array> {
    try {
      yield* this.inner;
    } catch (error) {
      this.failure = { error };
      throw error;
    }
  }
}

/** The columns of rows that were read as text, as a file of the lake holds them. */
export function valuesFromText(): string {
  return (EXPORT_COLUMNS as readonly Column[])
    .map((column) => `${valueFromText(column)} AS ${column.name}`)
    .join(', ');
}

function readText(path: string, extra: readonly Column[]): string {
  const columns = [...(EXPORT_COLUMNS as readonly Column[]), ...extra];
  const types = columns.map((column) => `${quote(column.name)}: ${quote(textType(column))}`);
  const options = [
    ...[
      'header = false',
      'auto_detect = false',
      'parallel = false',
      "nullstr = ''",
      'allow_quoted_nulls = false',
    ],
    `delim = ${quote(TRANSFER.delimiter)}`,
    ...[`quote = ${quote(TRANSFER.quote)}`, `escape = ${quote(TRANSFER.quote)}`],
    ...[`buffer_size = ${BUFFER_BYTES}`, `max_line_size = ${LONGEST_ROW_BYTES}`],
    `columns = {${types.join(', ')}}`,
  ];
  return `read_csv(${quote(path)}, ${options.join(', ')})`;
}

/** DuckDB writes the whole row into what it says, and its advice is none for us. */
function loadError(error: unknown): HxError {
  const message = messageOf(error);
  if (/Maximum line size/i.test(message)) {
    return new HxError(
      'failed',
      `A check takes more than ${LONGEST_ROW_BYTES} bytes, which no claim of hx does.`,
      {
        cause: error,
        hint: 'Its owner finds it by select run_id from checks order by octet_length(checks::text) desc limit 1, and has to remove it.',
      },
    );
  }
  return new HxError('failed', `Cannot load the rows: ${message.split('\n')[0]}`, {
    cause: error,
    hint: diskHint(error) ?? 'Check the space of the lake and of the folder for temporary files.',
  });
}
