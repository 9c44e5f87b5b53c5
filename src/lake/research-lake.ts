import type { Environment } from '../base/environments.js';
import { utcDate } from '../base/time.js';
import { AutomaticCompaction, type AutomaticOptions } from './compaction/automatic.js';
import { CompactedRuns } from './compaction/compacted-runs.js';
import type { LakeRow } from './files/schema.js';
import { removeLakeLeftOvers } from './left-overs.js';
import { appendRun, isRunThere, mendRun } from './writer.js';

/** Whatever it asks, research is this machine's. */
const RESEARCH_ENVIRONMENT: Environment = 'local';

/** The lake as research writes it: run by run, each durable, and compacted when they have become many. */
export class ResearchLake {
  private readonly options: AutomaticOptions;
  private readonly compaction: AutomaticCompaction;
  private readonly compacted: CompactedRuns;

  private constructor(options: AutomaticOptions) {
    this.options = options;
    this.compaction = new AutomaticCompaction(options);
    this.compacted = new CompactedRuns(options.storage);
  }

  /**
   * Opens the research part of the lake, and removes what killed writers left unfinished in it.
   * @throws HxError `failed` when its folders cannot be read.
   */
  static async open(options: AutomaticOptions): Promise<ResearchLake> {
    await options.storage.removeLeftOvers(RESEARCH_ENVIRONMENT);
    removeLakeLeftOvers(options.dataDir);
    return new ResearchLake(options);
  }

  /**
   * Appends one run. When it resolves, the row survives a power cut.
   * @throws HxError as `appendRun`; a compaction that fails does not count.
   */
  async append(row: LakeRow): Promise<void> {
    await appendRun(this.options.storage, row);
    this.compaction.added(row.env as Environment, utcDate(row.created_at));
  }

  /** Whether a run is in the lake, in a file of its own or in a compacted one. */
  async has(run: Pick<LakeRow, 'run_id' | 'env' | 'created_at'>): Promise<boolean> {
    const { run_id, env, created_at } = run;
    if (await isRunThere(this.options.storage, run)) return true;
    return this.compacted.has(env, utcDate(created_at), run_id);
  }

  /** Makes the run's own file hold the row, where it has one. Returns whether it held anything else. */
  async mend(row: LakeRow): Promise<boolean> {
    return (await mendRun(this.options.storage, row)) !== undefined;
  }

  /** Waits for a compaction that runs. */
  settle(): Promise<void> {
    return this.compaction.settle();
  }
}
