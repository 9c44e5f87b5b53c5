import type { LakeSource } from './source.js';

/** A column of a result; `type` is DuckDB's name of its type (`DECIMAL(12,6)`, `TIMESTAMP WITH TIME ZONE`). */
export interface ResultColumn {
  readonly name: string;
  readonly type: string;
}

/**
 * A result as it streams: one array of rows a chunk, one array of values a row.
 *
 * Values are plain JavaScript: null, boolean, number (floats and integers up to 32 bits), bigint (wider
 * integers), string (text, UUID, JSON text; decimals exact; DATE as `YYYY-MM-DD`; TIMESTAMPTZ as ISO 8601 with
 * `Z`, milliseconds or, where there are any, microseconds; TIMESTAMP the same without `Z`; BLOB as hex), arrays
 * (LIST) and objects (STRUCT, and MAP as `{key: value}`).
 */
export interface QueryResult {
  readonly columns: ResultColumn[];
  readonly chunks: AsyncIterable<unknown[][]>;
}

export interface QueryOptions {
  /** Values of `$name` in the statement: null, boolean, number, bigint, string or Date. */
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly signal?: AbortSignal;
}

export interface LakeTable {
  readonly name: string;
  readonly columns: ResultColumn[];
}

/** A read-only SQL engine over the lake, shut off from everything else on the machine. */
export interface LakeEngine {
  /**
   * Runs one SELECT (or EXPLAIN of one).
   * @throws HxError `refused` for anything else, `sql` for a statement that fails, `usage` for parameters that
   * do not fit, `interrupted` after the signal or `interrupt()`.
   */
  run(sql: string, options?: QueryOptions): Promise<QueryResult>;
  /** Words that could follow or complete the text, best first; none where nothing is known. */
  complete(text: string): Promise<string[]>;
  /** The views of the lake with their columns. */
  tables(): Promise<LakeTable[]>;
  /** Stops whatever runs; the engine stays usable. */
  interrupt(): void;
  close(): void;
}

export interface LakeEngineOptions {
  /** The folder for what queries spill, and whose `exports` folder is the lake unless there is a `source`. */
  readonly dataDir: string;
  readonly source?: LakeSource;
  /** What queries may hold in memory, `1GB` by default; beyond it they spill to `dataDir`. */
  readonly memoryLimit?: string;
  /** Ends the opening. */
  readonly signal?: AbortSignal;
}
