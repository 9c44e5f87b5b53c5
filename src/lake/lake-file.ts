/**
 * What a file of a partition holds: `r` one research run, `x` exported rows that were never updated, `u` exported
 * rows that were, `c` the compacted rows of a day.
 */
export type FileKind = 'r' | 'x' | 'u' | 'c';

export interface LakeFile {
  /** Its name within its day's folder. */
  readonly name: string;
  readonly kind: FileKind;
  /** The schema version of its rows. */
  readonly version: number;
}

const FILE_NAME = /^([rxuc])-s(\d+)-.+\.parquet$/;
const DAY_FOLDER = /^dt=(\d{4}-\d{2}-\d{2})$/;
const EXPORT_NAME = /^[xu]-s\d+-([0-9a-f]{8})-(\d+)-(\d+)\.parquet$/;

/** Reads the name of a file of a day's folder; undefined when it is no file of ours. */
export function parseLakeFile(name: string): LakeFile | undefined {
  const [, kind, version] = FILE_NAME.exec(name) ?? [];
  return version === undefined ? undefined : { name, kind: kind as FileKind, version: Number(version) };
}

/** The day of a partition's folder (`dt=YYYY-MM-DD`); undefined for any other folder. */
export function dayOfFolder(folder: string): string | undefined {
  return DAY_FOLDER.exec(folder)?.[1];
}

/** Which range of which database an exported file belongs to; undefined for files of other kinds. */
export function exportedRange(name: string): { instance: string; lo: string; hi: string } | undefined {
  const [, instance, lo, hi] = EXPORT_NAME.exec(name) ?? [];
  return instance === undefined || lo === undefined || hi === undefined ? undefined : { instance, lo, hi };
}

/** Name of a compacted file, taken by one generation of the environment's manifest. */
export function compactedFileName(version: number, generation: number): string {
  return `c-s${version}-${generation}.parquet`;
}

/** The generation in a compacted file's name; undefined for other files. */
export function generationOf(name: string): number | undefined {
  const generation = /^c-s\d+-(\d+)\.parquet$/.exec(name)?.[1];
  return generation === undefined ? undefined : Number(generation);
}
