import { rmSync } from 'node:fs';
import type { DuckDBConnection, DuckDBInstance, DuckDBResultReader, DuckDBValue } from '@duckdb/node-api';
import { checkDataFolder } from '../../base/data-folder.js';
import { HxError } from '../../base/errors.js';
import { Halting } from '../../base/halting.js';
import { VIEW_NAMES } from '../catalog/catalog.js';
import { newSpillFolder, removeSpillFolders } from '../spill.js';
import type { CurrentViews } from './current-views.js';
import { type DuckdbApi, loadDuckdb } from './duckdb-api.js';
import { endsDuckdb, engineError } from './failures.js';
import { guardStatement } from './guard.js';
import { lockDown, startDuckdb } from './locked-duckdb.js';
import { MadeViews } from './made-views.js';
import type { LakeEngine, LakeEngineOptions, LakeTable, QueryOptions, QueryResult } from './query.js';
import { LakeRoots } from './roots.js';
import { RunningStatement, untilAborted } from './statement.js';
import { TreeParser } from './tree-parser.js';

/** So many footers fit well into the memory of an engine. Of a lake of more files each would be dropped before it is used again. */
const MAX_KEPT_FOOTERS = 8_000;

/**
 * Starts DuckDB in memory, makes the views, then locks it down: it reads the lake only, loads nothing, and its
 * settings can no longer be changed.
 * @param maxKeptFooters of how many files at most it keeps the footers; of a lake of more it keeps none.
 * @throws HxError `configuration` when the data folder is no folder.
 */
export async function openDuckdbEngine(
  { dataDir, memoryLimit, signal }: LakeEngineOptions,
  current: CurrentViews,
  maxKeptFooters = MAX_KEPT_FOOTERS,
): Promise<DuckdbEngine> {
  await checkDataFolder(dataDir);
  const api = loadDuckdb();
  const roots = new LakeRoots([current.source.url]);
  removeSpillFolders(dataDir);
  const spill = newSpillFolder(dataDir);
  const starting = startDuckdb(api, { spill, memoryLimit });
  // DuckDB starts on another thread, while this one lists the lake.
  const reading = current.readAhead();
  const instance = await starting;
  const connection = await instance.connect();
  const engine = new DuckdbEngine(api, instance, connection, { current, roots, spill });
  try {
    await untilAborted(engine.prepare(reading, maxKeptFooters), signal);
  } catch (error) {
    engine.close();
    throw engine.errorOf(error, '');
  }
  return engine;
}

/** What a parameter begins with; a text may hold it too. */
const PARAMETER_MARK = /[$?]/;

const NO_TABLES: ReadonlySet<string> = new Set();

interface Places {
  readonly current: CurrentViews;
  readonly roots: LakeRoots;
  readonly spill: string;
}

/** DuckDB behind the guard. Every statement has a connection of its own, so results can stream side by side. */
export class DuckdbEngine implements LakeEngine {
  private readonly api: DuckdbApi;
  private readonly instance: DuckDBInstance;
  /** For our own statements: the views, the parser, completion. No statement of a user runs on it. */
  private readonly own: DuckDBConnection;
  private readonly places: Places;
  private readonly running = new Set<RunningStatement>();
  /** What runs on `own`, which must not be closed under it: the process would crash. */
  private readonly steps = new Halting();
  private readonly parser: TreeParser;
  private readonly views: MadeViews;
  /** Calls that go on; a result that is still read is among the running statements. */
  private calls = 0;
  private isClosed = false;
  private hasEnded = false;
  private onUnused: (() => void) | undefined;

  constructor(api: DuckdbApi, instance: DuckDBInstance, own: DuckDBConnection, places: Places) {
    this.api = api;
    this.instance = instance;
    this.own = own;
    this.places = places;
    this.parser = new TreeParser(own);
    this.views = new MadeViews(places.current, (sql) => this.runOwn(sql));
  }

  /**
   * Lets DuckDB in, makes the views that most statements need, then locks it down.
   * @param reading of what the lake holds.
   */
  async prepare(reading: Promise<void>, maxKeptFooters: number): Promise<void> {
    const { current, roots } = this.places;
    await this.steps.wait(current.source.connect(this.own));
    await reading;
    await this.views.bring(NO_TABLES);
    await this.steps.wait(lockDown(this.own, roots, current.fileCount <= maxKeptFooters));
  }

  /** Whether DuckDB takes no more statements, after an error inside it. */
  get isBroken(): boolean {
    return this.hasEnded;
  }

  async run(sql: string, options: QueryOptions = {}): Promise<QueryResult> {
    return this.during(() => this.begin(sql, options));
  }

  private async begin(sql: string, options: QueryOptions): Promise<QueryResult> {
    const { signal, parameters = {} } = options;
    const guarded = guardStatement(sql, {
      parse: (text) => this.steps.wait(this.parser.parse(text)),
      roots: this.places.roots,
      parameters,
    });
    // DuckDB parses on another thread, while this one looks for new files.
    const reading = this.places.current.readAhead();
    const allowed = await untilAborted(guarded, signal);
    await untilAborted(reading, signal);
    await untilAborted(this.views.bring(allowed.tables), signal);
    const statement = new RunningStatement({
      api: this.api,
      connection: await this.steps.wait(this.instance.connect()),
      sql: allowed.sql,
      isOneSelect: !allowed.isExplained && allowed.tables !== undefined && !PARAMETER_MARK.test(sql),
      parameters,
      signal,
      errorOf: (thrown) => this.errorOf(thrown, allowed.sql),
      onEnd: (ended) => {
        this.running.delete(ended);
        this.closeIfUnused();
      },
    });
    this.running.add(statement);
    return statement.start();
  }

  complete(text: string): Promise<string[]> {
    return this.during(() => this.completions(text));
  }

  private async completions(text: string): Promise<string[]> {
    // It is called for every key: only the first time may there be views that nobody has asked for.
    if (!this.views.isComplete) await this.refreshViews();
    const reader = await this.read('SELECT suggestion FROM sql_auto_complete($1)', [text]);
    return reader.getRowsJS().map(([suggestion]) => String(suggestion).trim());
  }

  tables(): Promise<LakeTable[]> {
    return this.during(() => this.readTables());
  }

  private async readTables(): Promise<LakeTable[]> {
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

  /** Closes it as soon as nobody uses it any more. */
  retire(onClosed: () => void): void {
    this.onUnused = onClosed;
    this.closeIfUnused();
  }

  private closeIfUnused(): void {
    if (this.onUnused === undefined || this.calls > 0 || this.running.size > 0) return;
    this.onUnused();
    this.close();
  }

  private async during<T>(call: () => Promise<T>): Promise<T> {
    this.calls += 1;
    try {
      return await call();
    } catch (error) {
      this.watch(error);
      throw endsDuckdb(error) ? engineError(error, '') : error;
    } finally {
      this.calls -= 1;
      this.closeIfUnused();
    }
  }

  private readonly watch = (error: unknown): void => {
    if (endsDuckdb(error)) this.hasEnded = true;
  };

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
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
    await this.places.current.read();
    await this.views.bring(tables);
  }

  private async runOwn(sql: string): Promise<void> {
    try {
      await this.steps.wait(this.own.run(sql));
    } catch (error) {
      throw this.errorOf(error, '');
    }
  }

  /** Translates what DuckDB throws while a statement is prepared or runs. */
  errorOf(thrown: unknown, sql: string): HxError {
    const error = this.places.current.source.explain(thrown, sql) ?? engineError(thrown, sql);
    this.watch(error);
    return error;
  }

  private read(sql: string, values?: DuckDBValue[]): Promise<DuckDBResultReader> {
    return this.steps.wait(this.own.runAndReadAll(sql, values));
  }
}
