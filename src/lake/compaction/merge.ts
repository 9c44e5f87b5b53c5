import { readFileSync, rmSync } from 'node:fs';
import type { DuckDBConnection } from '@duckdb/node-api';
import { HxError } from '../../base/errors.js';
import { packagePath } from '../../base/paths.js';
import { escapeGlob, quote } from '../catalog/catalog.js';
import { loadDuckdb } from '../engine/duckdb-api.js';
import { columnValue, FIELD_IDS, fileType, LAKE_COLUMNS, SCHEMA_VERSION } from '../files/schema.js';

/** A file to take in, by its path on this machine. */
export interface MergeInput {
  readonly path: string;
  readonly version: number;
}

/** A file that a merge takes in. */
export interface SizedInput extends MergeInput {
  readonly bytes: number;
}

/** Files up to this size are read once, into a table: opening one takes longer than reading it. */
const SMALL_BYTES = 256 * 1024;
/** So many of them are read by one statement. */
const SMALL_AT_ONCE = 64;

/** What merging may hold in memory before it spills. */
const MEMORY_LIMIT = '1GB';

/** DuckDB at work on files: one instance for all days of a compaction. */
export interface Merger {
  /**
   * Writes the live rows of a day's files into one, sorted by created_at, in the newest schema version: each run
   * in its newest revision, deleted ones left out. Then reads the file back and compares every value.
   * @param target an empty file of ours; untouched when no row is left.
   * @returns the rows in it.
   * @throws the signal's reason, or what DuckDB says.
   */
  merge(environment: string, inputs: readonly SizedInput[], target: string): Promise<number>;
  close(): void;
}

export interface MergerOptions {
  /** For what exceeds the memory; DuckDB makes it, and it goes with the merger. */
  readonly spillFolder: string;
  /** Whether to take one thread only. */
  readonly isGentle: boolean;
  readonly signal: AbortSignal | undefined;
}

export async function openMerger({ spillFolder, isGentle, signal }: MergerOptions): Promise<Merger> {
  const { DuckDBInstance } = loadDuckdb();
  const instance = await DuckDBInstance.create(':memory:', {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    // Half a megabyte a file, however small, which no limit counts.
    enable_external_file_cache: 'false',
    memory_limit: MEMORY_LIMIT,
    temp_directory: spillFolder,
    ...(isGentle ? { threads: '1' } : {}),
  });
  const close = () => {
    instance.closeSync();
    rmSync(spillFolder, { recursive: true, force: true });
  };
  const merge: Merger['merge'] = async (environment, inputs, target) => {
    signal?.throwIfAborted();
    const connection = await instance.connect();
    const stop = () => connection.interrupt();
    signal?.addEventListener('abort', stop, { once: true });
    try {
      return await mergeFiles(connection, environment, inputs, target);
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener('abort', stop);
      connection.closeSync();
    }
  };
  return { merge, close };
}

async function mergeFiles(
  connection: DuckDBConnection,
  environment: string,
  inputs: readonly SizedInput[],
  target: string,
): Promise<number> {
  await makeInput(connection, inputs);
  const [rows, runs, deleted] = await firstRow(connection, compactionSql('state'));
  if (rows === runs && deleted === 0n) {
    await connection.run('CREATE TEMP VIEW live AS SELECT * EXCLUDE (filename, file_row_number) FROM input');
  } else {
    await connection.run(compactionSql('newest'));
    await connection.run(compactionSql('live'));
  }
  const before = await firstRow(connection, `SELECT count(*), sum(hash(*COLUMNS(*))) FROM live`);
  if (before[0] === 0n) return 0;
  const ids = LAKE_COLUMNS.map(({ name }) => `${name}: ${FIELD_IDS.get(name)}`).join(', ');
  await connection.run(
    `COPY (FROM live ORDER BY created_at, run_id) TO ${quote(target)}
     (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false, FIELD_IDS {${ids}},
      KV_METADATA {'hx.schema_version': '${SCHEMA_VERSION}', 'hx.env': ${quote(environment)}})`,
  );
  const after = await firstRow(
    connection,
    `SELECT count(*), sum(hash(*COLUMNS(*))) FROM read_parquet(${quote(escapeGlob(target))}, hive_partitioning = false)`,
  );
  if (before[0] !== after[0] || before[1] !== after[1]) {
    throw new HxError('bug', `The compacted file holds other rows than its ${inputs.length} sources.`, {
      hint: 'Nothing was replaced. Keep the files and report it.',
    });
  }
  return Number(after[0]);
}

/** Makes `input`, the rows of all files, each with the place it was read from. */
async function makeInput(connection: DuckDBConnection, inputs: readonly SizedInput[]): Promise<void> {
  await connection.run("SET TimeZone = 'UTC'");
  const small = inputs.filter(({ bytes }) => bytes <= SMALL_BYTES);
  const large = inputs.filter(({ bytes }) => bytes > SMALL_BYTES);
  const sources = large.length > 0 ? [inputSelect(large)] : [];
  for (let start = 0; start < small.length; start += SMALL_AT_ONCE) {
    const rows = inputSelect(small.slice(start, start + SMALL_AT_ONCE));
    await connection.run(
      start === 0 ? `CREATE TEMP TABLE small AS ${rows}` : `INSERT INTO small BY NAME ${rows}`,
    );
  }
  if (small.length > 0) sources.push('FROM small');
  await connection.run(`CREATE TEMP VIEW input AS ${sources.join('\nUNION ALL BY NAME\n')}`);
}

/** The rows of all files as the newest schema version has them, each with the place it was read from. */
export function inputSelect(inputs: readonly MergeInput[]): string {
  const versions = [...new Set(inputs.map(({ version }) => version))];
  const selects = versions.map((version) => {
    const columns = LAKE_COLUMNS.map(
      (column) => `CAST(${columnValue(version, column.name)} AS ${fileType(column)}) AS ${column.name}`,
    );
    const paths = inputs
      .filter((input) => input.version === version)
      .map(({ path }) => quote(escapeGlob(path)));
    const source = `read_parquet([${paths.join(', ')}], filename = true, file_row_number = true,
      hive_partitioning = false, union_by_name = false)`;
    return `SELECT ${columns.join(', ')}, filename, file_row_number FROM ${source}`;
  });
  return selects.join('\nUNION ALL BY NAME\n');
}

async function firstRow(connection: DuckDBConnection, sql: string): Promise<readonly unknown[]> {
  const reader = await connection.runAndReadAll(sql);
  return reader.getRowsJS()[0] ?? [];
}

function compactionSql(name: string): string {
  return readFileSync(packagePath('sql', 'compaction', `${name}.sql`), 'utf8');
}
