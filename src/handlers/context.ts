import type { Settings } from '../base/config.js';
import type { EmitProgress } from '../base/events.js';
import type { Clock } from '../base/time.js';
import type { ResearchLake } from '../lake/research-lake.js';
import type { LakeStorage } from '../lake/storage/storage.js';
import type { Accounts } from '../models/account.js';
import type { Database } from '../operational/connection.js';
import type { ResearchStore } from '../research/store.js';
import { refreshCatalog } from './lake-catalog.js';
import { lakePlace } from './lake-place.js';

export { Accounts } from '../models/account.js';

/** Everything a handler may touch. Doors make one per command or request; tests make their own. */
export interface Context {
  readonly settings: Settings;
  readonly clock: Clock;
  /** Aborted by Ctrl-C, a closed request or a deadline. */
  readonly signal: AbortSignal;
  readonly emit: EmitProgress;
  readonly lanes: Lanes;
  /** How fast each account may be asked; shared by all requests of a server. */
  readonly accounts: Accounts;
}

/** The stores of both lanes, opened on first use and closed together. */
export class Lanes {
  private readonly settings: Settings;
  private readonly signal: AbortSignal;
  private readonly emit: EmitProgress;
  private openedDatabase: Promise<Database> | undefined;
  private openedResearch: Promise<ResearchStore> | undefined;
  private openedLake: Promise<LakeStorage> | undefined;
  private openedResearchLake: Promise<ResearchLake> | undefined;

  constructor(settings: Settings, signal: AbortSignal, emit: EmitProgress) {
    this.settings = settings;
    this.signal = signal;
    this.emit = emit;
  }

  /**
   * The operational database of the chosen environment; it declares that environment with every write.
   * @throws HxError `unavailable` when nothing answers, `refused` when the database is another environment's.
   */
  database(): Promise<Database> {
    this.openedDatabase ??= this.openDatabase();
    return this.openedDatabase;
  }

  /** The SQLite store of lane B, made on first use. */
  research(): Promise<ResearchStore> {
    this.openedResearch ??= import('../research/open.js').then(({ openResearchStore }) =>
      openResearchStore(this.settings.dataDir),
    );
    return this.openedResearch;
  }

  /**
   * Where the lake's files are. Nothing to close.
   * @throws HxError `configuration` naming the setting of a lake on S3 that is missing or malformed.
   */
  lake(): Promise<LakeStorage> {
    this.openedLake ??= import('../lake/storage/open.js').then(({ openLakeStorage }) =>
      openLakeStorage(lakePlace(this.settings, this.signal)),
    );
    return this.openedLake;
  }

  /** The lake as sweeps write to it: each run durable at once, many files of a day compacted meanwhile. */
  researchLake(): Promise<ResearchLake> {
    this.openedResearchLake ??= this.openResearchLake();
    return this.openedResearchLake;
  }

  private async openResearchLake(): Promise<ResearchLake> {
    const { settings, signal, emit } = this;
    const { ResearchLake } = await import('../lake/research-lake.js');
    return ResearchLake.open({
      storage: await this.lake(),
      dataDir: settings.dataDir,
      now: () => new Date(),
      signal,
      onFailure: (message) => emit({ type: 'note', message }),
      onCompacted: () => refreshCatalog({ settings, emit }),
    });
  }

  private async openDatabase(): Promise<Database> {
    const { openDatabase } = await import('../operational/connection.js');
    try {
      return await openDatabase({ settings: this.settings, signal: this.signal, emit: this.emit });
    } catch (error) {
      // A server that outlives this failure tries again with its next request.
      this.openedDatabase = undefined;
      throw error;
    }
  }

  /** Closes what was opened. What failed to open needs no closing. */
  async close(): Promise<void> {
    const [database, research, researchLake] = await Promise.allSettled([
      this.openedDatabase,
      this.openedResearch,
      this.openedResearchLake,
    ]);
    this.openedDatabase = undefined;
    this.openedResearch = undefined;
    if (database.status === 'fulfilled') await database.value?.close();
    if (research.status === 'fulfilled') research.value?.close();
    if (researchLake.status === 'fulfilled') await researchLake.value?.settle();
  }
}
