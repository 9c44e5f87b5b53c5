import { readManifest } from '../catalog/manifest.js';
import type { LakeStorage } from '../storage/storage.js';
import { unreadable } from './failures.js';

/** Which runs the compacted files of an environment's days hold. Each file is read once, its run ids only. */
export class CompactedRuns {
  private readonly storage: LakeStorage;
  private readonly known = new Map<string, ReadonlySet<string>>();

  constructor(storage: LakeStorage) {
    this.storage = storage;
  }

  /** @param day UTC date of the run's partition. */
  async has(environment: string, day: string, runId: string): Promise<boolean> {
    for (let lost: string | undefined; ; ) {
      const { manifest } = await readManifest(this.storage, environment);
      const names = manifest.compacted.filter(({ name }) => name.startsWith(`dt=${day}/`));
      const found = await this.findIn(
        names.map(({ name }) => `${environment}/${name}`),
        runId,
      );
      // Another compaction may have replaced the file since the manifest was read: then it lists another one now.
      if (typeof found === 'boolean' || found.missing === lost) return found === true;
      lost = found.missing;
    }
  }

  /** Whether one of the files has the run; a file that is missing if none has. */
  private async findIn(names: readonly string[], runId: string): Promise<boolean | { missing: string }> {
    let missing: string | undefined;
    for (const name of names) {
      const runs = await (this.known.get(name) ?? this.readRuns(name));
      if (runs === undefined) {
        missing ??= name;
        continue;
      }
      this.known.set(name, runs);
      if (runs.has(runId)) return true;
    }
    return missing === undefined ? false : { missing };
  }

  /** undefined when there is no such file. */
  private async readRuns(name: string): Promise<ReadonlySet<string> | undefined> {
    const file = await this.storage.open(name);
    if (file === undefined) return undefined;
    try {
      const { asyncBufferFromFile, parquetReadObjects } = await import('hyparquet');
      const { compressors } = await import('hyparquet-compressors');
      const buffer = await asyncBufferFromFile(file.path);
      const rows = await parquetReadObjects({ file: buffer, compressors, columns: ['run_id'] });
      return new Set(rows.map((row) => String(row['run_id'])));
    } catch (error) {
      throw unreadable(name, error);
    } finally {
      await file.release();
    }
  }
}
