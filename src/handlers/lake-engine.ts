import * as t from 'typanion';
import type { Settings } from '../base/config.js';
import { parseEnvironment } from '../base/environments.js';
import { HxError } from '../base/errors.js';
import { parseUtcDate, utcDate } from '../base/time.js';
import type { Wanted } from '../lake/catalog/selection.js';
import type { LakeEngine } from '../lake/engine/engine.js';
import type { HttpfsProblem } from '../lake/in-place/httpfs.js';
import type { LakePlace } from '../lake/storage/open.js';
import type { S3Input } from '../lake/storage/s3-place.js';
import type { Context } from './context.js';
import { lakePlace } from './lake-place.js';

/** Which partitions of a lake on S3 to see. */
export const isWantedInput = t.isObject({
  fetchSince: t.isOptional(t.isString()),
  fetchEnv: t.isOptional(t.isString()),
});

export type WantedInput = t.InferType<typeof isWantedInput>;

const BYTES_PER_MEGABYTE = 1_000_000;

/**
 * Opens an engine over the lake that the settings name. One on S3 is read where it is or fetched first, as
 * HX_LAKE_READ says, and the reader is told which; a local one is there.
 * @throws HxError `usage` for a date or environment that is none, or for either with a local lake, `configuration`
 * when HX_LAKE_READ asks for httpfs and there is none.
 */
export async function openEngine(context: Context, input: WantedInput): Promise<LakeEngine> {
  const wanted = readWanted(input);
  const place = lakePlace(context.settings, context.signal);
  if (place.s3 !== undefined) return openRemote(context, place, place.s3, wanted);
  if (Object.keys(wanted).length > 0) throw notOnS3();
  const { openLakeEngine } = await import('../lake/engine/engine.js');
  return openLakeEngine({ dataDir: place.dataDir });
}

async function openRemote(
  { settings, emit, clock, signal }: Context,
  place: LakePlace,
  s3: S3Input,
  wanted: Wanted,
): Promise<LakeEngine> {
  const { openS3Storage } = await import('../lake/storage/open.js');
  const { dataDir } = place;
  const storage = await openS3Storage(place, s3);
  const problem = await problemOfReading(settings);
  if (problem === undefined) {
    const { openInPlaceEngine } = await import('../lake/in-place/source.js');
    const { readS3Place } = await import('../lake/storage/s3-place.js');
    return openInPlaceEngine({ storage, place: readS3Place(s3), dataDir, wanted, emit, clock, signal });
  }
  if (problem !== 'unwanted' && problem.state === 'broken') {
    emit({
      type: 'note',
      message: `${problem.reason}. The lake's files are fetched instead. ${problem.fix}`,
    });
  }
  const { openMirroredEngine } = await import('../lake/mirror/engine.js');
  const limitBytes = (settings.number('HX_LAKE_CACHE_MB') ?? 0) * BYTES_PER_MEGABYTE;
  return openMirroredEngine({ storage, dataDir, limitBytes, wanted, emit }, clock);
}

/**
 * Why a lake on S3 is not read where it is: there is no httpfs, or HX_LAKE_READ says cache. Undefined when it is.
 * @throws HxError `configuration` when HX_LAKE_READ asks for httpfs and there is none.
 */
export async function problemOfReading(settings: Settings): Promise<HttpfsProblem | 'unwanted' | undefined> {
  const way = settings.choice('HX_LAKE_READ');
  if (way === 'cache') return 'unwanted';
  const { httpfsProblem } = await import('../lake/in-place/httpfs.js');
  const { newSpillFolder } = await import('../lake/spill.js');
  const problem = await httpfsProblem(newSpillFolder(settings.dataDir));
  if (problem === undefined || way === 'auto') return problem;
  throw new HxError('configuration', `HX_LAKE_READ is httpfs, but ${problem.reason}.`, {
    hint: `${problem.fix} Or set HX_LAKE_READ=cache.`,
  });
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
