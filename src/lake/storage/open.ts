import { join } from 'node:path';
import { exportsFolder } from '../files/partition.js';
import type { S3Input } from './s3-place.js';
import type { LakeStorage } from './storage.js';

/** Which lake to open; plain values, as no settings (and so no connection string) reach this folder. */
export interface LakePlace {
  /** The folder whose `exports` folder is the lake, unless it is on S3. */
  readonly dataDir: string;
  /** Undefined for a local lake. */
  readonly s3: S3Input | undefined;
  /** Ends what is under way with a server. */
  readonly signal?: AbortSignal;
}

/**
 * Opens a lake. Touches nothing yet.
 * @throws HxError `configuration` naming the setting of S3 that is missing or malformed.
 */
export async function openLakeStorage(place: LakePlace): Promise<LakeStorage> {
  if (place.s3 !== undefined) return openS3Storage(place, place.s3);
  const { LocalStorage } = await import('./local.js');
  return new LocalStorage(exportsFolder(place.dataDir));
}

/** Opens a lake on S3. Files on their way are in a folder of their own under the data folder. */
export async function openS3Storage({ dataDir, signal }: LakePlace, s3: S3Input) {
  const { S3Storage } = await import('./s3.js');
  const { PATIENCE } = await import('./patience.js');
  const { S3Client } = await import('./s3-client.js');
  const { readS3Place } = await import('./s3-place.js');
  return new S3Storage(new S3Client(readS3Place(s3), PATIENCE, signal), join(dataDir, '.lake-staging'));
}
