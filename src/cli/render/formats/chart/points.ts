import { HxError } from '../../../../base/errors.js';
import type { Column, Result } from '../result.js';
import { cellText, isNumeric } from '../value.js';

/** One row of a chart: NULL, NaN and infinities have no place on an axis and are `undefined`. */
export interface Point {
  readonly label: string;
  readonly value: number | undefined;
}

/** Which of two columns is which. */
export interface ChartColumns {
  readonly label: Column;
  readonly value: Column;
  readonly valueIndex: 0 | 1;
}

/**
 * The label and the number among the columns; of two numbers the second is drawn.
 * @throws HxError `usage` where there are not two columns, or neither holds numbers.
 */
export function chartColumns(columns: readonly Column[]): ChartColumns {
  const [first, second] = columns;
  if (first === undefined || second === undefined || columns.length !== 2) {
    const count = `${columns.length} ${columns.length === 1 ? 'column' : 'columns'}`;
    throw new HxError('usage', `A chart takes two columns, a label and a number; this result has ${count}.`, {
      hint: 'For example: SELECT model, count(*) FROM checks GROUP BY 1.',
    });
  }
  if (isNumeric(second.type)) return { label: first, value: second, valueIndex: 1 };
  if (isNumeric(first.type)) return { label: second, value: first, valueIndex: 0 };
  const types = `${first.name} is ${first.type} and ${second.name} is ${second.type}`;
  throw new HxError('usage', `A chart needs a column of numbers: ${types}.`, {
    hint: `Cast one, for example ${second.name}::DOUBLE.`,
  });
}

/** Reads the points of a result, at most `limit`; `more` tells that there were others. */
export async function readPoints(
  chunks: Result['chunks'],
  { valueIndex }: ChartColumns,
  limit: number,
): Promise<{ readonly points: Point[]; readonly more: boolean }> {
  const points: Point[] = [];
  for await (const rows of chunks) {
    for (const row of rows) {
      if (points.length === limit) return { points, more: true };
      points.push(pointOf(row[1 - valueIndex], row[valueIndex]));
    }
  }
  return { points, more: false };
}

function pointOf(label: unknown, value: unknown): Point {
  const number = value === null || value === undefined ? Number.NaN : Number(value);
  return { label: cellText(label) ?? 'NULL', value: Number.isFinite(number) ? number : undefined };
}

/** An axis that always holds zero, so that lengths can be compared. */
export interface Axis {
  readonly low: number;
  readonly high: number;
}

/** The axis that all values fit on. */
export function axisOf(values: readonly (number | undefined)[]): Axis {
  let [low, high] = [0, 0];
  for (const value of values) {
    low = Math.min(low, value ?? 0);
    high = Math.max(high, value ?? 0);
  }
  return { low, high };
}

/** A number short enough for a chart: six significant digits. */
export function shortNumber(value: number): string {
  return String(Number(value.toPrecision(6)));
}
