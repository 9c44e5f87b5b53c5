import { readManifest } from '../manifest.js';
import type { LakeStorage } from '../storage/storage.js';

/** Which runs the compacted files of an environment's days hold. Each file is read once, its run ids only. */
export class CompactedRuns {
  private readonly storage: LakeStorage;
  private readonly known = new Map<string, Promise<ReadonlySet<string>>>();

  constructor(storage: LakeStorage) {
    this.storage = storage;
  }

  /** @param day UTC date of the run's partition. */
  async has(environment: string, day: string, runId: string): Promise<boolean> {
    const { manifest } = await readManifest(this.storage, environment);
    for (const { name } of manifest.compacted) {
      if (!name.startsWith(`dt=${day}/`)) continue;
      const path = `${environment}/${name}`;
      const runs = this.known.get(path) ?? this.readRuns(path);
      this.known.set(path, runs);
      if ((await runs).has(runId)) return true;
    }
    return false;
  }

  private async readRuns(name: string): Promise<ReadonlySet<string>> {
    const file = await this.storage.open(name);
    if (file === undefined) return new Set();
    try {
      const { asyncBufferFromFile, parquetReadObjects } = await import('hyparquet');
      const { compressors } = await import('hyparquet-compressors');
      const buffer = await asyncBufferFromFile(file.path);
      const rows = await parquetReadObjects({ file: buffer, compressors, columns: ['run_id'] });
      return new Set(rows.map((row) => String(row['run_id'])));
    } finally {
      await file.release();
    }
  }
}
