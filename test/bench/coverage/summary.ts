import type { CellResult } from './cell.js';

/** Coverage in which every cell should lie. */
export const BAND = { low: 0.935, high: 0.98 } as const;

export type Target = 'functional' | 'latent';

export interface Summary {
  readonly cells: number;
  readonly mean: number;
  readonly lowest: number;
  readonly highest: number;
  readonly below: number;
  readonly above: number;
}

/** What many cells have in common. */
export function summarise(cells: readonly CellResult[], target: Target): Summary {
  const values = cells.map((cell) => cell[target]);
  return {
    cells: values.length,
    mean: meanOf(cells, target),
    lowest: Math.min(...values),
    highest: Math.max(...values),
    below: values.filter((value) => value < BAND.low).length,
    above: values.filter((value) => value > BAND.high).length,
  };
}

/** Whether a cell misses the band with either target. */
export function isOutside({ functional, latent }: CellResult): boolean {
  return Math.min(functional, latent) < BAND.low || Math.max(functional, latent) > BAND.high;
}

export function meanOf(cells: readonly CellResult[], target: Target): number {
  return cells.reduce((sum, cell) => sum + cell[target], 0) / cells.length;
}

/** Standard error of a coverage from so many intervals. */
export function standardError(coverage: number, intervals: number): number {
  return Math.sqrt((coverage * (1 - coverage)) / intervals);
}

/** Cells by a key, keys in the order in which they come first. */
export function groupBy<Key>(
  cells: readonly CellResult[],
  keyOf: (cell: CellResult) => Key,
): Map<Key, CellResult[]> {
  const groups = new Map<Key, CellResult[]>();
  for (const cell of cells) {
    const key = keyOf(cell);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [cell]);
    else group.push(cell);
  }
  return groups;
}

/** A Markdown table. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return [
    `| ${header.join(' | ')} |`,
    `|${header.map(() => '---').join('|')}|`,
    ...rows.map((row) => `| ${row.join(' | ')} |`),
  ].join('\n');
}

/** A coverage as it is written: three decimals, no leading zero. */
export function figure(value: number): string {
  return value.toFixed(3).replace(/^0/, '');
}
