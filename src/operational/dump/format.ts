import * as t from 'typanion';
import { ENVIRONMENT_NAMES } from '../../base/environments.js';
import { HxError } from '../../base/errors.js';

/** docs/dumps.md describes the format. */
export const FORMAT = 'hx dump';
export const VERSION = 1;

/** Ends the rows of a table. No row looks like it, as COPY doubles the backslashes of values. */
export const END_OF_ROWS = Buffer.from('\\.\n');

const isHash = t.cascade(t.isString(), [t.matchesRegExp(/^[0-9a-f]{64}$/)]);
const isCount = t.cascade(t.isNumber(), [t.isInteger(), t.isAtLeast(0)]);

/** The first line of a dump. */
export const isHeader = t.isObject({
  format: t.isLiteral(FORMAT),
  version: t.isLiteral(VERSION),
  environment: t.isEnum(ENVIRONMENT_NAMES),
  /** Of the database that was dumped. */
  instance: t.isString(),
  created_at: t.isString(),
  hx_version: t.isString(),
  server_version: t.isString(),
  /** Of its schema, and of every object in it: `kind name` to hash. */
  fingerprint: isHash,
  objects: t.isRecord(t.isString(), { keys: t.isString() }),
  migrations: t.isArray(t.isObject({ number: isCount, name: t.isString(), hash: isHash })),
  /** In the order in which their rows follow. */
  tables: t.isArray(t.isObject({ name: t.isString(), columns: t.isArray(t.isString()), rows: isCount })),
  left_out: t.isArray(t.isObject({ name: t.isString(), why: t.isString() })),
});
export type DumpHeader = t.InferType<typeof isHeader>;

/** The last line. */
export const isTrailer = t.isObject({
  tables: t.isArray(t.isObject({ name: t.isString(), rows: isCount, sha256: isHash })),
  /** Values are text, as those of bigint may be beyond 2^53. */
  sequences: t.isArray(
    t.isObject({
      name: t.isString(),
      last_value: t.cascade(t.isString(), [t.matchesRegExp(/^-?\d+$/)]),
      is_called: t.isBoolean(),
    }),
  ),
  /** Of every byte before its own member, hex. */
  sha256: isHash,
});
export type DumpTrailer = t.InferType<typeof isTrailer>;
export type SequenceState = DumpTrailer['sequences'][number];

/** The end of the last line, which seals all before it. */
export function seal(sha256: string): string {
  return `,"sha256":"${sha256}"}`;
}

export const SEAL_BYTES = seal('0'.repeat(64)).length;

/** A file that is no dump, or not the one that was written. */
export function damaged(path: string, what: string, cause?: unknown): HxError {
  return new HxError('conflict', `${path} cannot be restored: ${what}.`, {
    cause,
    hint: 'Nothing was written. Use another dump, or take this one anew with hx db dump.',
  });
}
