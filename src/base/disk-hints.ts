import { messageOf, systemCode } from './errors.js';

const NO_SPACE =
  'The disk is full: free some space, or set HX_DATA_DIR to another disk, then run the same again.';
/** SQLite says no more of a log or an index of it that cannot grow. */
const MAYBE_FULL =
  'The disk may be full or broken: look at its space and its log, or set HX_DATA_DIR to another disk.';
const TOO_LARGE =
  'That disk or account may not have so large a file: raise its limit, or set HX_DATA_DIR to another disk.';
const NO_PERMISSION = 'Give the account that runs hx the right to write there, or set HX_DATA_DIR elsewhere.';
const IN_THE_WAY =
  'A file, or a link to nowhere, stands where a folder should be: move it away, or set HX_DATA_DIR elsewhere.';

const BY_CODE: Readonly<Record<string, string>> = {
  ...{ ENOSPC: NO_SPACE, EDQUOT: NO_SPACE, SQLITE_FULL: NO_SPACE, EFBIG: TOO_LARGE },
  ...{ EACCES: NO_PERMISSION, EPERM: NO_PERMISSION, EROFS: NO_PERMISSION, SQLITE_READONLY: NO_PERMISSION },
  ...{ ENOTDIR: IN_THE_WAY, EEXIST: IN_THE_WAY },
};

/** DuckDB passes on what the system says, without its code. */
const BY_WORDS: readonly (readonly [RegExp, string])[] = [
  [/No space left on device|Disk quota exceeded/, NO_SPACE],
  [/File too large/, TOO_LARGE],
];

/** What to do about a disk that refuses; undefined for an error that is none of a disk's. */
export function diskHint(error: unknown): string | undefined {
  const code = systemCode(error) ?? '';
  if (code.startsWith('SQLITE_IOERR')) return MAYBE_FULL;
  const byCode = BY_CODE[code];
  if (byCode !== undefined) return byCode;
  const message = messageOf(error);
  return BY_WORDS.find(([words]) => words.test(message))?.[1];
}
