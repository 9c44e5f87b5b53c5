import type { Clock } from '../../base/time.js';
import { FRESH_MS } from '../catalog/selection.js';
import {
  type LakeEngine,
  type LakeTable,
  openLakeEngine,
  type QueryOptions,
  type QueryResult,
} from '../engine/engine.js';
import { LakeMirror, type MirrorOptions } from './mirror.js';

/**
 * Opens an engine over the wanted partitions of a lake on S3: they are fetched first.
 * @throws HxError as `LakeMirror.sync` does.
 */
export async function openMirroredEngine(options: MirrorOptions, clock: Clock): Promise<LakeEngine> {
  const mirror = new LakeMirror(options);
  try {
    await mirror.sync();
    return new MirroredEngine(mirror, await openLakeEngine({ dataDir: mirror.dataDir }), clock);
  } catch (error) {
    mirror.close();
    throw error;
  }
}

class MirroredEngine implements LakeEngine {
  private readonly mirror: LakeMirror;
  private readonly engine: LakeEngine;
  private readonly clock: Clock;
  private syncedMs: number;
  /** Results that are still read; the files under them stay. */
  private reading = 0;

  constructor(mirror: LakeMirror, engine: LakeEngine, clock: Clock) {
    this.mirror = mirror;
    this.engine = engine;
    this.clock = clock;
    this.syncedMs = clock.monotonicMs();
  }

  async run(sql: string, options?: QueryOptions): Promise<QueryResult> {
    if (this.reading === 0 && this.clock.monotonicMs() - this.syncedMs > FRESH_MS) {
      await this.mirror.sync();
      this.syncedMs = this.clock.monotonicMs();
    }
    const result = await this.engine.run(sql, options);
    return { columns: result.columns, chunks: this.read(result.chunks) };
  }

  complete(text: string): Promise<string[]> {
    return this.engine.complete(text);
  }

  tables(): Promise<LakeTable[]> {
    return this.engine.tables();
  }

  interrupt(): void {
    this.engine.interrupt();
  }

  close(): void {
    this.engine.close();
    this.mirror.close();
  }

  private async *read(chunks: AsyncIterable<unknown[][]>): AsyncGenerator<unknown[][]> {
    this.reading += 1;
    try {
      yield* chunks;
    } finally {
      this.reading -= 1;
    }
  }
}
