import type { Clock } from '../../base/time.js';
import type { EnvironmentFiles } from '../catalog/lake-listing.js';
import { FRESH_MS, readLake, type Selection, untilSteady, type Wanted } from '../catalog/selection.js';
import type { Listing } from '../engine/source.js';
import type { S3Storage } from '../storage/s3.js';

/** Lists the wanted partitions of a lake on S3, anew when the last listing is old. */
export class S3Listing implements Listing {
  private readonly storage: S3Storage;
  private readonly wanted: Wanted;
  private readonly clock: Clock;
  private environments: readonly EnvironmentFiles[] = [];
  /** Each environment as text, by which a change is seen. */
  private texts: readonly string[] = [];
  private readMs = Number.NEGATIVE_INFINITY;
  private reading: Promise<readonly Selection[]> | undefined;
  private gone = 0;

  constructor(storage: S3Storage, wanted: Wanted, clock: Clock) {
    this.storage = storage;
    this.wanted = wanted;
    this.clock = clock;
  }

  get goneFiles(): number {
    return this.gone;
  }

  /**
   * What there was at most a minute ago: what compaction replaces meanwhile stays for an hour.
   * @throws HxError as `untilSteady`, and what the server refuses.
   */
  async read(): Promise<readonly EnvironmentFiles[]> {
    if (this.clock.monotonicMs() - this.readMs > FRESH_MS) await this.readNow();
    return this.environments;
  }

  /** Lists at once. Callers that come meanwhile get the same listing. */
  async readNow(): Promise<readonly Selection[]> {
    this.reading ??= this.list().finally(() => {
      this.reading = undefined;
    });
    return this.reading;
  }

  /** Says that a file was missed: the next reading lists again. */
  expire(): void {
    this.readMs = Number.NEGATIVE_INFINITY;
  }

  private async list(): Promise<readonly Selection[]> {
    const startedMs = this.clock.monotonicMs();
    const { selections } = await untilSteady(this.storage, () => readLake(this.storage, this.wanted));
    this.readMs = startedMs;
    const environments = selections.map(({ environment, manifest, partitions }) => ({
      environment,
      manifest,
      partitions,
    }));
    const texts = environments.map((files) => JSON.stringify(files));
    if (texts.some((text, index) => text !== this.texts[index])) {
      const there = new Set(environments.flatMap(namesOf));
      this.gone += this.environments.flatMap(namesOf).filter((name) => !there.has(name)).length;
      this.environments = environments;
      this.texts = texts;
    }
    return selections;
  }
}

function namesOf({ environment, partitions }: EnvironmentFiles): string[] {
  return partitions.flatMap(({ day, names }) => names.map((name) => `${environment}/${day}/${name}`));
}
