import type { DuckDBConnection } from '@duckdb/node-api';
import type { HxError } from '../../base/errors.js';
import type { EmitProgress } from '../../base/events.js';
import type { Clock } from '../../base/time.js';
import { bytesOf, describeFiles, type Selection, type Wanted } from '../catalog/selection.js';
import { type LakeEngine, openLakeEngine } from '../engine/engine.js';
import type { LakeSource } from '../engine/source.js';
import type { S3Storage } from '../storage/s3.js';
import type { S3Place } from '../storage/s3-place.js';
import { readFailure } from './failures.js';
import { connectThroughHttpfs } from './httpfs.js';
import { S3Listing } from './listing.js';

/** Each file costs a query some requests, and files of this size little else. */
const MANY_FILES = 200;
const SMALL_BYTES = 1_000_000;

export interface InPlaceOptions {
  readonly storage: S3Storage;
  readonly place: S3Place;
  /** For what queries spill. */
  readonly dataDir: string;
  readonly wanted: Wanted;
  readonly emit: EmitProgress;
  readonly clock: Clock;
  /** Ends the opening. */
  readonly signal?: AbortSignal;
}

/**
 * Opens an engine that reads the wanted partitions of a lake on S3 where they are.
 * @throws HxError as `S3Listing.read` and `connectThroughHttpfs` do.
 */
export async function openInPlaceEngine(options: InPlaceOptions): Promise<LakeEngine> {
  const { storage, wanted, clock, dataDir, emit, signal } = options;
  const listing = new S3Listing(storage, wanted, clock);
  emit({ type: 'note', message: announcement(storage.url, await listing.readNow()) });
  const source = new S3Source(options.place, storage.url, listing);
  return openLakeEngine({ dataDir, source, ...(signal === undefined ? {} : { signal }) });
}

/** A lake on S3, read through httpfs. What it holds our own client tells, by the same rules as for a folder. */
class S3Source implements LakeSource {
  readonly url: string;
  readonly listing: S3Listing;
  private readonly place: S3Place;

  constructor(place: S3Place, url: string, listing: S3Listing) {
    this.place = place;
    this.url = url;
    this.listing = listing;
  }

  connect(connection: DuckDBConnection): Promise<void> {
    return connectThroughHttpfs(connection, this.place);
  }

  explain(thrown: unknown, sql: string): HxError | undefined {
    const failure = readFailure(this.place, this.url, thrown, sql);
    if (failure?.isGone) this.listing.expire();
    return failure?.error;
  }
}

function announcement(url: string, selections: readonly Selection[]): string {
  const files = selections.flatMap((selection) => selection.files);
  const bytes = bytesOf(files);
  const isSmall = files.length > MANY_FILES && bytes / files.length < SMALL_BYTES;
  const advice = isSmall ? ' They are many and small: hx export compact makes queries quicker.' : '';
  return `Reading ${describeFiles(files.length, bytes)} of ${url} in place, through httpfs.${advice}`;
}
