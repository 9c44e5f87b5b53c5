import { rmSync } from 'node:fs';
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { checkDataFolder } from '../base/data-folder.js';
import { catalogStatements, quote, VIEW_NAMES } from './catalog.js';
import { type DuckdbApi, loadDuckdb } from './duckdb-api.js';
import { engineError } from './failures.js';
import { guardStatement } from './guard.js';
import { LakeListing } from './lake-listing.js';
import { exportsFolder } from './partition.js';
import type { LakeEngine, LakeEngineOptions, LakeTable, QueryOptions, QueryResult } from './query.js';
import { LakeRoots } from './roots.js';
import { spillFolder } from './spill.js';
import { RunningStatement, untilAborted } from './statement.js';

/** What a query may hold in memory before it spills to the data folder. */
const DEFAULT_MEMORY_LIMIT = '1GB';

/** What all queries of an engine may spill; DuckDB's own bound is 90 % of the disk. */
const MAX_SPILL = '10GB';

/**
 * Starts DuckDB in memory, makes the views, then locks it down: it reads below the exports folder only, loads
 * nothing, and its settings can no longer be changed.
 * @throws HxError `configuration` when the data folder is no folder.
 */
export async function openDuckdbEngine({ dataDir, memoryLimit }: LakeEngineOptions): Promise<LakeEngine> {
  await checkDataFolder(dataDir);
  const api = loadDuckdb();
  const exportsDir = exportsFolder(dataDir);
  const roots = new LakeRoots([exportsDir]);
  const spill = await spillFolder(dataDir);
  const instance = await api.DuckDBInstance.create(':memory:', {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
    // Secrets that somebody stored for DuckDB are not the lake's, and their folder tells whose machine this is.
    allow_persistent_secrets: 'false',
    secret_directory: spill,
    memory_limit: memoryLimit ?? DEFAULT_MEMORY_LIMIT,
    temp_directory: spill,
    max_temp_directory_size: MAX_SPILL,
    // A replaced file may keep its size and its second; a cache would go on showing the old one.
    enable_external_file_cache: 'false',
  });
  const connection = await instance.connect();
  const engine = new DuckdbEngine(api, instance, connection, { exportsDir, roots, spill });
  try {
    await engine.refreshViews();
    await lockDown(connection, roots);
  } catch (error) {
    engine.close();
    throw engineError(error, '');
  }
  return engine;
}

async function lockDown(connection: DuckDBConnection, roots: LakeRoots): Promise<void> {
  const allowed = roots.directories().map(quote);
  const settings = [
    "SET GLOBAL TimeZone = 'UTC'",
    // The lake's files never change, so that a footer read once holds.
    'SET GLOBAL parquet_metadata_cache = true',
    `SET allowed_directories = [${allowed.join(', ')}]`,
    'SET enable_external_access = false',
    'SET lock_configuration = true',
  ];
  await connection.run(settings.join('; '));
}

interface Places {
  readonly exportsDir: string;
  readonly roots: LakeRoots;
  readonly spill: string;
}

/** DuckDB behind the guard. Every statement has a connection of its own, so results can stream side by side. */
class DuckdbEngine implements LakeEngine {
  private readonly api: DuckdbApi;
  private readonly instance: DuckDBInstance;
  /** For our own statements: the views, the parser, completion. No statement of a user runs on it. */
  private readonly own: DuckDBConnection;
  private readonly places: Places;
  private readonly running = new Set<RunningStatement>();
  private readonly listing: LakeListing;
  /** The statements that made the views. */
  private catalog: string | undefined;

  constructor(api: DuckdbApi, instance: DuckDBInstance, own: DuckDBConnection, places: Places) {
    this.api = api;
    this.instance = instance;
    this.own = own;
    this.places = places;
    this.listing = new LakeListing(places.exportsDir);
  }

  async run(sql: string, options: QueryOptions = {}): Promise<QueryResult> {
    const { signal, parameters = {} } = options;
    const guarded = guardStatement(sql, {
      parse: (text) => this.scalar('SELECT json_serialize_sql($1::VARCHAR)', text),
      roots: this.places.roots,
      parameters,
    });
    const allowed = await untilAborted(guarded, signal);
    await this.refreshViews();
    const statement = new RunningStatement({
      api: this.api,
      connection: await this.instance.connect(),
      sql: allowed,
      parameters,
      signal,
      onEnd: (ended) => this.running.delete(ended),
    });
    this.running.add(statement);
    return statement.start();
  }

  async complete(text: string): Promise<string[]> {
    const reader = await this.own.runAndReadAll('SELECT suggestion FROM sql_auto_complete($1)', [text]);
    return reader.getRowsJS().map(([suggestion]) => String(suggestion).trim());
  }

  async tables(): Promise<LakeTable[]> {
    await this.refreshViews();
    const reader = await this.own.runAndReadAll(
      'SELECT view_name, column_name, data_type FROM duckdb_columns() JOIN duckdb_views() ON table_name = view_name',
    );
    const columns = reader
      .getRowsJS()
      .map(([table, name, type]) => ({ table, name: String(name), type: String(type) }));
    return VIEW_NAMES.map((view) => ({
      name: view,
      columns: columns.filter(({ table }) => table === view).map(({ name, type }) => ({ name, type })),
    }));
  }

  interrupt(): void {
    for (const statement of this.running) statement.interrupt();
  }

  close(): void {
    this.interrupt();
    for (const statement of [...this.running]) statement.end();
    this.own.closeSync();
    this.instance.closeSync();
    rmSync(this.places.spill, { recursive: true, force: true });
  }

  /** Remakes the views when what they read has changed, in one round trip. */
  async refreshViews(): Promise<void> {
    const catalog = catalogStatements(this.places.exportsDir, this.listing.read()).join(';\n');
    if (catalog === this.catalog) return;
    try {
      await this.own.run(catalog);
    } catch (error) {
      throw engineError(error, '');
    }
    this.catalog = catalog;
  }

  private async scalar(sql: string, parameter: string): Promise<string> {
    const reader = await this.own.runAndReadAll(sql, [parameter]);
    return String(reader.getRowsJS()[0]?.[0]);
  }
}
