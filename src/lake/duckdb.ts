import { rmSync } from 'node:fs';
import type { DuckDBConnection, DuckDBInstance, DuckDBResultReader, DuckDBValue } from '@duckdb/node-api';
import { checkDataFolder } from '../base/data-folder.js';
import { HxError } from '../base/errors.js';
import { Halting } from '../base/halting.js';
import { quote, VIEW_NAMES, type View } from './catalog.js';
import { CurrentViews } from './current-views.js';
import { type DuckdbApi, loadDuckdb } from './duckdb-api.js';
import { engineError } from './failures.js';
import { guardStatement } from './guard.js';
import { exportsFolder } from './partition.js';
import type { LakeEngine, LakeEngineOptions, LakeTable, QueryOptions, QueryResult } from './query.js';
import { LakeRoots } from './roots.js';
import { newSpillFolder, removeSpillFolders } from './spill.js';
import { RunningStatement, untilAborted } from './statement.js';
import { TreeParser } from './tree-parser.js';

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
  removeSpillFolders(dataDir);
  const spill = newSpillFolder(dataDir);
  const starting = api.DuckDBInstance.create(':memory:', {
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
  const current = new CurrentViews(exportsDir);
  // DuckDB starts on another thread, while this one lists the lake.
  void readAhead(current);
  const instance = await starting;
  const connection = await instance.connect();
  const engine = new DuckdbEngine(api, instance, connection, { current, roots, spill });
  try {
    await engine.refreshViews(NO_TABLES);
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

/** Views of `checks` that are made when a statement names them. */
const LATE_VIEWS: ReadonlySet<string> = new Set(VIEW_NAMES.filter((name) => name !== 'checks'));

/** What a parameter begins with; a text may hold it too. */
const PARAMETER_MARK = /[$?]/;

const NO_TABLES: ReadonlySet<string> = new Set();

/** Whether a name is a view's. Of any other, an error suggests what there is, so that every view has to be there. */
function isView(name: string): boolean {
  return VIEW_NAMES.some((view) => view === name);
}

/** Reads at once what is waited for later. */
function readAhead(current: CurrentViews): Promise<void> {
  const reading = Promise.resolve().then(() => current.read());
  // Whoever waits for it hears of it.
  reading.catch(() => undefined);
  return reading;
}

interface Places {
  readonly current: CurrentViews;
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
  /** What runs on `own`, which must not be closed under it: the process would crash. */
  private readonly steps = new Halting();
  private readonly parser: TreeParser;
  /** The views that were made, and by which statement. */
  private readonly made = new Map<string, string>();
  private making: Promise<void> = Promise.resolve();

  constructor(api: DuckdbApi, instance: DuckDBInstance, own: DuckDBConnection, places: Places) {
    this.api = api;
    this.instance = instance;
    this.own = own;
    this.places = places;
    this.parser = new TreeParser(own);
  }

  async run(sql: string, options: QueryOptions = {}): Promise<QueryResult> {
    const { signal, parameters = {} } = options;
    const guarded = guardStatement(sql, {
      parse: (text) => this.steps.wait(this.parser.parse(text)),
      roots: this.places.roots,
      parameters,
    });
    // DuckDB parses on another thread, while this one looks for new files.
    const reading = readAhead(this.places.current);
    const allowed = await untilAborted(guarded, signal);
    await reading;
    await this.makeViews(allowed.tables);
    const statement = new RunningStatement({
      api: this.api,
      connection: await this.steps.wait(this.instance.connect()),
      sql: allowed.sql,
      isOneSelect: !allowed.isExplained && allowed.tables !== undefined && !PARAMETER_MARK.test(sql),
      parameters,
      signal,
      onEnd: (ended) => this.running.delete(ended),
    });
    this.running.add(statement);
    return statement.start();
  }

  async complete(text: string): Promise<string[]> {
    // It is called for every key: only the first time may there be views that nobody has asked for.
    if (VIEW_NAMES.some((name) => !this.made.has(name))) await this.refreshViews();
    const reader = await this.read('SELECT suggestion FROM sql_auto_complete($1)', [text]);
    return reader.getRowsJS().map(([suggestion]) => String(suggestion).trim());
  }

  async tables(): Promise<LakeTable[]> {
    await this.refreshViews();
    const reader = await this.read(
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
    this.own.interrupt();
    this.steps.halt(new HxError('interrupted', 'The lake was closed.'));
    if (this.steps.isIdle) this.release();
    else void this.steps.idle().then(() => this.release());
  }

  private release(): void {
    this.own.closeSync();
    this.instance.closeSync();
    rmSync(this.places.spill, { recursive: true, force: true });
  }

  /** Brings the views up to date that a statement needs; undefined: all. */
  async refreshViews(tables?: ReadonlySet<string>): Promise<void> {
    this.places.current.read();
    await this.makeViews(tables);
  }

  /** One after the other, so that none brings back what was there before another. */
  private makeViews(tables?: ReadonlySet<string>): Promise<void> {
    const make = () => this.makeNewestViews(tables);
    const making = this.making.then(make, make);
    this.making = making;
    return making;
  }

  /**
   * Makes the views that a statement needs (undefined: all), and remakes what reads other files now, in one round
   * trip. Each view takes as long to make as a small question, so those that nobody asks for wait.
   */
  private async makeNewestViews(tables: ReadonlySet<string> | undefined): Promise<void> {
    const views = this.places.current.newest;
    const seesAll = tables === undefined || [...tables].some((name) => !isView(name));
    const wanted = views.filter(({ name }) => seesAll || !LATE_VIEWS.has(name) || tables.has(name));
    const statements = this.changes(views, wanted);
    if (statements.length === 0) return;
    if (this.made.size === 0) statements.unshift('CREATE SCHEMA IF NOT EXISTS lake');
    try {
      await this.steps.wait(this.own.run(statements.join(';\n')));
    } catch (error) {
      throw engineError(error, '');
    }
    for (const name of this.made.keys()) {
      if (!views.some((view) => view.name === name)) this.made.delete(name);
    }
    for (const { name, sql } of wanted) this.made.set(name, sql);
  }

  /** The statements that bring the wanted views up to date, and remove those that are no more. */
  private changes(views: readonly View[], wanted: readonly View[]): string[] {
    const gone = [...this.made.keys()].filter((name) => !views.some((view) => view.name === name));
    const changed = wanted.filter(({ name, sql }) => this.made.get(name) !== sql);
    return [
      ...changed.map(({ name, sql }) => `CREATE OR REPLACE VIEW ${name} AS ${sql}`),
      ...gone.map((name) => `DROP VIEW IF EXISTS ${name}`),
    ];
  }

  private read(sql: string, values?: DuckDBValue[]): Promise<DuckDBResultReader> {
    return this.steps.wait(this.own.runAndReadAll(sql, values));
  }
}
