/**
 * What a file of a partition holds: `r` one research run, `x` exported rows that were never updated, `u` exported
 * rows that were, `c` the compacted rows of a day.
 */
export type FileKind = 'r' | 'x' | 'u' | 'c';

const DAY_FOLDER = /^dt=(\d{4}-\d{2}-\d{2})$/;

/** The day of a partition's folder (`dt=YYYY-MM-DD`); undefined for any other folder. */
export function dayOfFolder(folder: string): string | undefined {
  return DAY_FOLDER.exec(folder)?.[1];
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
