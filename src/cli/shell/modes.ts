import type { TextFormat } from '../render/formats/index.js';

export const PAGER_MODES = ['auto', 'always', 'off'] as const;
export type PagerMode = (typeof PAGER_MODES)[number];

/** What dot commands set. */
export interface Modes {
  format: TextFormat;
  timer: boolean;
  /** `auto` pages a table that the window cannot hold. */
  pager: PagerMode;
  /** Columns that a cell of a table may take at most; `undefined` fits the window. */
  cellWidth: number | undefined;
  /** Absolute path of the file that the next result goes to instead of the terminal. */
  output: string | undefined;
}

export function initialModes(format: TextFormat): Modes {
  return { format, timer: false, pager: 'auto', cellWidth: undefined, output: undefined };
}
