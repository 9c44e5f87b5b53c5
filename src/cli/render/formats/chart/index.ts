import type { GridOptions } from '../grid.js';
import type { Rendering, Result } from '../result.js';
import { isNumeric } from '../value.js';
import { renderBars } from './bars.js';
import { chartColumns, readPoints } from './points.js';
import { renderSeries } from './series.js';

/** Width of a chart where nothing says how wide a line may be. */
const WIDTH_IN_A_PIPE = 80;
/** Up to here every row has a bar with its label, whatever the label is. */
const BARS = 20;
/** Rows that one chart is drawn from at most. */
const ROW_LIMIT = 100_000;

/**
 * A result of two columns as a chart: a bar for each label, or columns over time (or over a number) where there
 * are more than `BARS` of them.
 * @throws HxError `usage` for a result that is no label and number.
 */
export async function* renderChart({ columns, chunks }: Result, options: GridOptions): Rendering {
  const { width, rowLimit, paint } = options;
  const chosen = chartColumns(columns);
  const { points, more } = await readPoints(chunks, chosen, ROW_LIMIT);
  const sheet = { width: Number.isFinite(width) ? width : WIDTH_IN_A_PIPE, paint };
  if (points.length > BARS && isOrdered(chosen.label.type)) {
    yield renderSeries(points, chosen, sheet);
    return { shown: points.length, rows: more ? undefined : points.length, cut: false };
  }
  const shown = points.slice(0, rowLimit);
  yield renderBars(shown, chosen, sheet);
  return { shown: shown.length, rows: more ? undefined : points.length, cut: false };
}

/** Whether labels of this type lie on a line: dates, times, numbers. */
function isOrdered(type: string): boolean {
  return isNumeric(type) || /^(DATE|TIME)/.test(type);
}
