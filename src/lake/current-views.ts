import { catalogViews, type View } from './catalog.js';
import { type EnvironmentFiles, LakeListing } from './lake-listing.js';

/** The views over what a lake's folder holds now, made anew only when it holds something else than the last time. */
export class CurrentViews {
  private readonly exportsDir: string;
  private readonly listing: LakeListing;
  private files: readonly EnvironmentFiles[] | undefined;
  private views: readonly View[] = [];

  constructor(exportsDir: string) {
    this.exportsDir = exportsDir;
    this.listing = new LakeListing(exportsDir);
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
    return this.listing.goneFiles;
  }

  /** @throws HxError as `LakeListing.read` and `catalogViews` do. */
  read(): void {
    const files = this.listing.read();
    if (files === this.files) return;
    this.views = catalogViews(this.exportsDir, files);
    this.files = files;
  }

  /** Reads at once what is waited for later, and only then fails. */
  readAhead(): Promise<void> {
    const reading = Promise.resolve().then(() => this.read());
    reading.catch(() => undefined);
    return reading;
  }
}
