import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { HxError } from '../../base/errors.js';
import type { EmitProgress } from '../../base/events.js';
import {
  bytesOf,
  describeFiles,
  megabytes,
  readLake,
  type Selection,
  untilSteady,
  type Wanted,
} from '../catalog/selection.js';
import type { S3Storage } from '../storage/s3.js';
import type { StoredObject } from '../storage/s3-answers.js';
import { Pool } from './pool.js';
import { Workspace } from './workspace.js';

/** Objects fetched at once: S3 is slow for each and quick for all. */
const PARALLEL = 8;

export interface MirrorOptions {
  readonly storage: S3Storage;
  /** The local data folder; copies are kept in a folder of the lake's own below it. */
  readonly dataDir: string;
  /** What copies may take on the disk. */
  readonly limitBytes: number;
  readonly wanted: Wanted;
  readonly emit: EmitProgress;
}

export interface SyncReport {
  /** The files that the reader sees. */
  readonly files: number;
  readonly bytes: number;
  /** Of these, what was not here yet. */
  readonly fetchedFiles: number;
  readonly fetchedBytes: number;
}

/** The wanted partitions of a lake on S3, as a local lake of one reader. */
export class LakeMirror {
  private readonly options: MirrorOptions;
  private readonly pool: Pool;
  private readonly workspace: Workspace;

  constructor(options: MirrorOptions) {
    this.options = options;
    const { storage, dataDir } = options;
    const lake = createHash('sha256').update(storage.url).digest('hex').slice(0, 12);
    const folder = join(dataDir, 'lake-cache', lake);
    this.pool = new Pool(join(folder, 'files'));
    this.workspace = new Workspace(join(folder, 'readers'));
  }

  /** Stands for the data folder of a reader: its `exports` folder is the lake. */
  get dataDir(): string {
    return this.workspace.dataDir;
  }

  /**
   * Brings the reader's lake up to the state of the one on S3. Only what is not here yet is fetched.
   * @throws HxError `configuration` when the wanted files take more than the limit, `unavailable` when the server
   * is out of reach, `failed` when the disk refuses.
   */
  sync(): Promise<SyncReport> {
    return untilSteady(this.options.storage, () => this.trySync());
  }

  close(): void {
    this.workspace.close();
  }

  /** Returns undefined when the lake changed meanwhile. */
  private async trySync(): Promise<SyncReport | undefined> {
    const { storage, wanted, limitBytes } = this.options;
    const state = await readLake(storage, wanted);
    if (state === undefined) return undefined;
    const { selections } = state;
    const files = selections.flatMap((selection) => selection.files);
    const bytes = bytesOf(files);
    if (bytes > limitBytes) throw this.tooLarge(bytes);
    const missing = files.filter((file) => !this.pool.has(file));
    if (!(await this.fetch(missing)) || !this.show(selections)) return undefined;
    const covered = new Set(selections.map(({ environment }) => environment));
    await this.pool.clean(
      new Set(state.objects.map((object) => this.pool.pathOf(object))),
      new Set(files.map((file) => this.pool.pathOf(file))),
      (name) => covered.has(name.slice(0, name.indexOf('/'))),
      limitBytes,
    );
    this.tell(files, missing);
    return { files: files.length, bytes, fetchedFiles: missing.length, fetchedBytes: bytesOf(missing) };
  }

  /** Fetches files, several at once. Returns false when one has gone. */
  private async fetch(files: readonly StoredObject[]): Promise<boolean> {
    const { storage, emit } = this.options;
    const queue = files.values();
    const started = performance.now();
    let done = 0;
    let isWhole = true;
    const work = async () => {
      for (const file of queue) {
        if (!isWhole) return;
        isWhole = (await this.pool.fetch(storage, file)) && isWhole;
        done += 1;
        const elapsedMs = performance.now() - started;
        emit({ type: 'progress', what: 'files', done, total: files.length, elapsedMs });
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, work));
    return isWhole;
  }

  private show(selections: readonly Selection[]): boolean {
    const files = selections.flatMap((selection) => selection.files);
    return this.workspace.show(
      new Map(files.map((file) => [file.name, this.pool.pathOf(file)])),
      new Map(selections.map(({ environment, manifest }) => [environment, manifest])),
    );
  }

  private tell(files: readonly StoredObject[], fetched: readonly StoredObject[]): void {
    if (fetched.length === 0) return;
    const kept = files.length - fetched.length;
    const rest =
      kept === 0 ? '' : `; ${describeFiles(kept, bytesOf(files) - bytesOf(fetched))} were here already`;
    const message = `Fetched ${describeFiles(fetched.length, bytesOf(fetched))} of ${this.options.storage.url}${rest}.`;
    this.options.emit({ type: 'note', message });
  }

  private tooLarge(bytes: number): HxError {
    const { storage, limitBytes } = this.options;
    return new HxError(
      'configuration',
      `The wanted files of ${storage.url} take ${megabytes(bytes)}, more than the ${megabytes(limitBytes)} that may be kept here.`,
      {
        hint: 'Ask for fewer days or one environment (--fetch-since, --fetch-env), or raise HX_LAKE_CACHE_MB.',
      },
    );
  }
}
