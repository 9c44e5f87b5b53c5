import type { DuckDBConnection } from '@duckdb/node-api';
import type { HxError } from '../../base/errors.js';
import { type EnvironmentFiles, LakeListing } from '../catalog/lake-listing.js';
import { exportsFolder } from '../files/partition.js';

/** What a lake holds, read again and again. */
export interface Listing {
  /** How many names were listed that are there no more. */
  readonly goneFiles: number;
  /** What there is now: the same array as the last time while nothing has changed. */
  read(): readonly EnvironmentFiles[] | Promise<readonly EnvironmentFiles[]>;
}

/** Where an engine finds the files of a lake. */
export interface LakeSource {
  /** How the path of every file begins: the exports folder, or `s3://bucket/prefix`. */
  readonly url: string;
  readonly listing: Listing;
  /** Lets DuckDB in, before it is locked down. */
  connect(connection: DuckDBConnection): Promise<void>;
  /** What DuckDB's complaint about a file of the lake means, where the source knows more than its words. */
  explain(thrown: unknown, sql: string): HxError | undefined;
}

/** The lake below the `exports` folder of a data folder. */
export function localSource(dataDir: string): LakeSource {
  const url = exportsFolder(dataDir);
  return { url, listing: new LakeListing(url), connect: async () => {}, explain: () => undefined };
}
