import * as t from 'typanion';
import { parseEnvironment } from '../base/environments.js';
import { HxError } from '../base/errors.js';
import { parseUtcDate, utcDate } from '../base/time.js';
import type { LakeEngine } from '../lake/engine.js';
import type { Wanted } from '../lake/mirror/selection.js';
import type { Context } from './context.js';
import { lakePlace } from './lake-place.js';

/** Which partitions of a lake on S3 to fetch. */
export const isWantedInput = t.isObject({
  fetchSince: t.isOptional(t.isString()),
  fetchEnv: t.isOptional(t.isString()),
});

export type WantedInput = t.InferType<typeof isWantedInput>;

const BYTES_PER_MEGABYTE = 1_000_000;

/**
 * Opens an engine over the lake that the settings name. Of one on S3 the wanted partitions are fetched first, and the
 * reader says how much; a local one is there.
 * @throws HxError `usage` for a date or environment that is none, or for either with a local lake.
 */
export async function openEngine(context: Context, input: WantedInput): Promise<LakeEngine> {
  const { settings, signal, emit, clock } = context;
  const wanted = readWanted(input);
  const place = lakePlace(settings, signal);
  if (place.s3 === undefined) {
    if (Object.keys(wanted).length > 0) throw notOnS3();
    const { openLakeEngine } = await import('../lake/engine.js');
    return openLakeEngine({ dataDir: place.dataDir });
  }
  const { openS3Storage } = await import('../lake/storage/open.js');
  const { openMirroredEngine } = await import('../lake/mirror/engine.js');
  const storage = await openS3Storage(place, place.s3);
  const limitBytes = (settings.number('HX_LAKE_CACHE_MB') ?? 0) * BYTES_PER_MEGABYTE;
  return openMirroredEngine({ storage, dataDir: place.dataDir, limitBytes, wanted, emit }, clock);
}

function readWanted({ fetchSince, fetchEnv }: WantedInput): Wanted {
  return {
    ...(fetchSince === undefined ? {} : { since: utcDate(parseUtcDate(fetchSince, '--fetch-since')) }),
    ...(fetchEnv === undefined ? {} : { environments: [parseEnvironment(fetchEnv)] }),
  };
}

function notOnS3(): HxError {
  return new HxError('usage', 'The lake is on this machine, so there is nothing to fetch.', {
    hint: 'Leave --fetch-since and --fetch-env out, and filter by created_at and env in the SQL.',
  });
}
