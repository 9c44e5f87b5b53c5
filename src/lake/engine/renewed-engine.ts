import { CurrentViews } from './current-views.js';
import { type DuckdbEngine, openDuckdbEngine } from './duckdb.js';
import type { LakeEngine, LakeEngineOptions, LakeTable, QueryOptions, QueryResult } from './query.js';
import { localSource } from './source.js';

/**
 * After so many files have gone a DuckDB is replaced. It keeps the footer of each file that it read, 85 KB of each,
 * also of those that compaction has removed, until its memory is full; a new one starts in 15 ms.
 */
const MAX_GONE_FILES = 1_000;

/**
 * Opens an engine that stays as small as the lake is, however long it is open, and outlives an error inside DuckDB.
 * @throws HxError `configuration` when the data folder is no folder.
 */
export async function openRenewedEngine(
  options: LakeEngineOptions,
  maxGoneFiles = MAX_GONE_FILES,
): Promise<LakeEngine> {
  const current = new CurrentViews(options.source ?? localSource(options.dataDir));
  const open = () => openDuckdbEngine(options, current);
  return new RenewedEngine(await open(), open, current, maxGoneFiles);
}

/** One DuckDB after the other. What still runs on an earlier one goes on there. */
class RenewedEngine implements LakeEngine {
  private engine: DuckdbEngine;
  private readonly open: () => Promise<DuckdbEngine>;
  private readonly current: CurrentViews;
  private readonly maxGoneFiles: number;
  private readonly retired = new Set<DuckdbEngine>();
  private goneBefore: number;
  private renewal: Promise<void> | undefined;
  private isClosed = false;

  constructor(
    engine: DuckdbEngine,
    open: () => Promise<DuckdbEngine>,
    current: CurrentViews,
    maxGoneFiles: number,
  ) {
    this.engine = engine;
    this.open = open;
    this.current = current;
    this.maxGoneFiles = maxGoneFiles;
    this.goneBefore = current.goneFiles;
  }

  async run(sql: string, options?: QueryOptions): Promise<QueryResult> {
    return (await this.usable()).run(sql, options);
  }

  async complete(text: string): Promise<string[]> {
    return (await this.usable()).complete(text);
  }

  async tables(): Promise<LakeTable[]> {
    return (await this.usable()).tables();
  }

  interrupt(): void {
    for (const engine of [this.engine, ...this.retired]) engine.interrupt();
  }

  close(): void {
    this.isClosed = true;
    for (const engine of [this.engine, ...this.retired]) engine.close();
  }

  private async usable(): Promise<DuckdbEngine> {
    const isWorn = this.current.goneFiles - this.goneBefore > this.maxGoneFiles;
    if (isWorn || this.engine.isBroken) {
      this.renewal ??= this.renew().finally(() => {
        this.renewal = undefined;
      });
      await this.renewal;
    }
    return this.engine;
  }

  private async renew(): Promise<void> {
    // Others that come meanwhile go on with the engine that is there, unless it is broken.
    this.goneBefore = this.current.goneFiles;
    const next = await this.open();
    if (this.isClosed) {
      next.close();
      return;
    }
    const before = this.engine;
    this.engine = next;
    this.retired.add(before);
    before.retire(() => this.retired.delete(before));
  }
}
