import { escapeControls } from '../../escape.js';
import type { Paint } from '../../style.js';
import { displayWidth, padToWidth, truncateToWidth } from '../../width.js';
import { axisOf, type ChartColumns, type Point, shortNumber } from './points.js';

const GAP = '  ';
/** Labels take at most this share of the width. */
const LABEL_SHARE = 0.4;
const LEAST_BAR_WIDTH = 8;
/** A cell filled from its left by eighths. */
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** A bar for each point: label, number, bar; negative ones go to the left of a common zero. */
export function renderBars(
  points: readonly Point[],
  columns: ChartColumns,
  { width, paint }: { readonly width: number; readonly paint: Paint },
): string {
  const numbers = points.map(({ value }) => (value === undefined ? 'NULL' : shortNumber(value)));
  const labels = points.map(({ label }) => escapeControls(label));
  const heads = [escapeControls(columns.label.name), escapeControls(columns.value.name)] as const;
  const numberWidth = Math.max(displayWidth(heads[1]), ...numbers.map((text) => text.length));
  const widest = Math.max(displayWidth(heads[0]), ...labels.map(displayWidth));
  const labelWidth = Math.min(widest, Math.max(LEAST_BAR_WIDTH, Math.floor(width * LABEL_SHARE)));
  const room = Math.max(LEAST_BAR_WIDTH, width - labelWidth - numberWidth - 2 * GAP.length - 1);
  const draw = barDrawer(points, room, paint);
  const start = (label: string, number: string) =>
    padToWidth(truncateToWidth(label, labelWidth), labelWidth) +
    GAP +
    padToWidth(number, numberWidth, 'right');
  const lines = points.map(({ value }, index) => {
    const text = start(labels[index] ?? '', numbers[index] ?? '');
    return value === undefined ? paint('dim', text) : `${text}${GAP}${draw(value)}`.trimEnd();
  });
  return [paint('bold', start(...heads)), ...lines].map((line) => `${line}\n`).join('');
}

function barDrawer(points: readonly Point[], room: number, paint: Paint): (value: number) => string {
  const { low, high } = axisOf(points.map(({ value }) => value));
  const span = high - low;
  if (span === 0) return () => '';
  // Both sides get their share, and the smaller one at least a cell.
  const leftCells = low < 0 ? Math.max(1, Math.min(room - 1, Math.round((room * -low) / span))) : 0;
  const rightCells = room - leftCells;
  const axis = leftCells > 0 ? '│' : '';
  return (value) => {
    if (value < 0) {
      const halves = Math.max(1, Math.round((2 * leftCells * value) / low));
      const bar = (halves % 2 === 1 ? '▐' : '') + '█'.repeat(halves >> 1);
      return ' '.repeat(leftCells - bar.length) + paint('red', bar) + axis;
    }
    const eighths = value === 0 ? 0 : Math.max(1, Math.round((8 * rightCells * value) / high));
    const bar = '█'.repeat(eighths >> 3) + (EIGHTHS[eighths & 7] ?? '');
    return ' '.repeat(leftCells) + axis + (bar === '' ? '' : paint('cyan', bar));
  };
}
