import { catalogViews, type View } from '../catalog/catalog.js';
import type { EnvironmentFiles } from '../catalog/lake-listing.js';
import type { LakeSource } from './source.js';

/** The views over what a lake holds now, made anew only when it holds something else than the last time. */
export class CurrentViews {
  readonly source: LakeSource;
  private files: readonly EnvironmentFiles[] | undefined;
  private views: readonly View[] = [];

  constructor(source: LakeSource) {
    this.source = source;
  }

  /** Those of the last reading, whoever asked for it. */
  get newest(): readonly View[] {
    return this.views;
  }

  /** How many files there were at the last reading. */
  get fileCount(): number {
    const partitions = (this.files ?? []).flatMap((files) => files.partitions);
    return partitions.reduce((sum, { names }) => sum + names.length, 0);
  }

  /** How many files have gone since the first reading. */
  get goneFiles(): number {
    return this.source.listing.goneFiles;
  }

  /** @throws HxError as the listing and `catalogViews` do. */
  async read(): Promise<void> {
    const { url, listing } = this.source;
    const files = await listing.read();
    if (files === this.files) return;
    this.views = catalogViews(url, files);
    this.files = files;
  }

  /** Reads at once what is waited for later, and only then fails. */
  readAhead(): Promise<void> {
    const reading = Promise.resolve().then(() => this.read());
    reading.catch(() => undefined);
    return reading;
  }
}
