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

  /** @throws HxError as `LakeListing.read` and `catalogViews` do. */
  read(): void {
    const files = this.listing.read();
    if (files === this.files) return;
    this.views = catalogViews(this.exportsDir, files);
    this.files = files;
  }
}
