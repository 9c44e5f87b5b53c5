import { escapeControls } from '../../escape.js';
import type { Paint } from '../../style.js';
import { displayWidth, padToWidth, truncateToWidth } from '../../width.js';
import { type Axis, axisOf, type ChartColumns, type Point, shortNumber } from './points.js';

/** Rows of the plot. */
const HEIGHT = 10;
/** Columns of the screen that one value takes at most. */
const WIDEST_COLUMN = 4;
/** A mean has six digits even where the values have fewer: `-0.123456`. */
const MEAN_WIDTH = 9;
/** A cell filled from its bottom by eighths. */
const EIGHTHS = ['', '▁', '▂', '▃', '▄', '▅', '▆', '▇'];

/**
 * Values in the order of the result as columns over a common zero. More values than there is room for are drawn
 * as the means of as many neighbours as it takes, which a line below says.
 */
export function renderSeries(
  points: readonly Point[],
  columns: ChartColumns,
  { width, paint }: { readonly width: number; readonly paint: Paint },
): string {
  const widest = axisLabels(axisOf(points.map(({ value }) => value)));
  const labelWidth = Math.max(
    widest.top.length,
    widest.bottom.length,
    points.length > width ? MEAN_WIDTH : 1,
  );
  const room = Math.max(1, width - labelWidth - 3);
  const perColumn = Math.ceil(points.length / room);
  const values = means(points, perColumn);
  const { low, high } = axisOf(values);
  const { top, bottom } = axisLabels({ low, high });
  const columnWidth = Math.max(1, Math.min(WIDEST_COLUMN, Math.floor(room / values.length)));
  const rows = plotRows(values, { low, high }, columnWidth, paint);
  const zeroRow = rows.findIndex(({ isZero }) => isZero);
  const lines = rows.map(({ text }, index) => {
    const label = index === 0 && high > 0 ? top : index === rows.length - 1 && low < 0 ? bottom : '';
    return `${padToWidth(index === zeroRow ? '0' : label, labelWidth, 'right')} ${index === zeroRow ? '┼' : '┤'}${text}`;
  });
  const head = `${escapeControls(columns.value.name)} by ${escapeControls(columns.label.name)}`;
  const foot = rangeLine(points, values.length * columnWidth);
  const note = perColumn === 1 ? [] : [paint('dim', `Each column is the mean of ${perColumn} rows.`)];
  const indent = ' '.repeat(labelWidth + 2);
  return [paint('bold', head), ...lines, indent + foot, ...note]
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

function axisLabels({ low, high }: Axis): { readonly top: string; readonly bottom: string } {
  return { top: shortNumber(high), bottom: shortNumber(low) };
}

/** The mean of each group of neighbours; `undefined` where none has a value. */
function means(points: readonly Point[], size: number): (number | undefined)[] {
  const groups: (number | undefined)[] = [];
  for (let start = 0; start < points.length; start += size) {
    const values = points.slice(start, start + size).flatMap(({ value }) => value ?? []);
    groups.push(
      values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length,
    );
  }
  return groups;
}

function plotRows(
  values: readonly (number | undefined)[],
  { low, high }: Axis,
  columnWidth: number,
  paint: Paint,
): { readonly text: string; readonly isZero: boolean }[] {
  const span = high - low || 1;
  const below = low < 0 ? Math.max(1, Math.min(HEIGHT - 1, Math.round((HEIGHT * -low) / span))) : 0;
  const above = high > 0 ? HEIGHT - below : 0;
  const cell = (character: string) => {
    const bar = columnWidth >= 3 ? columnWidth - 1 : columnWidth;
    return character === ' '
      ? ' '.repeat(columnWidth)
      : character.repeat(bar) + ' '.repeat(columnWidth - bar);
  };
  const rows: { text: string; isZero: boolean }[] = [];
  for (let row = above - 1; row >= 0; row -= 1) {
    const cells = values.map((value = 0) => {
      const eighths = value > 0 ? Math.max(1, Math.round((8 * above * value) / high)) - 8 * row : 0;
      return cell(eighths >= 8 ? '█' : EIGHTHS[Math.max(0, eighths)] || ' ');
    });
    rows.push({ text: paint('cyan', cells.join('')), isZero: false });
  }
  // The zero line parts what is above from what is below; values that are missing leave a gap in it.
  const line = values.map((value) => (value === undefined ? ' ' : '─').repeat(columnWidth)).join('');
  rows.push({ text: line, isZero: true });
  for (let row = 0; row < below; row += 1) {
    const cells = values.map((value = 0) => {
      const halves = value < 0 ? Math.max(1, Math.round((2 * below * value) / low)) - 2 * row : 0;
      return cell(halves >= 2 ? '█' : halves === 1 ? '▀' : ' ');
    });
    rows.push({ text: paint('red', cells.join('')), isZero: false });
  }
  return rows;
}

/** The first label at the left end and the last at the right one, where both have room. */
function rangeLine(points: readonly Point[], width: number): string {
  const first = escapeControls(points[0]?.label ?? '');
  const last = escapeControls(points.at(-1)?.label ?? '');
  const between = width - displayWidth(first) - displayWidth(last);
  return between >= 1
    ? first + ' '.repeat(between) + last
    : truncateToWidth(`${first} … ${last}`, Math.max(width, 60));
}
