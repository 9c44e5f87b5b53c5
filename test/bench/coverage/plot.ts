import type { CellResult } from './cell.js';
import { TEMPLATES } from './grid.js';
import { BAND } from './summary.js';

const PANEL = { width: 300, height: 320, left: 56, top: 44, gap: 16 } as const;
/** Coverage at the foot and the head of the plot; lower cells are drawn at the foot. */
const AXIS = { low: 0.7, high: 1 } as const;
const TICKS = [0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1] as const;

/** Every cell of every estimator as a dot: coverage of the trimmed functional by number of templates. */
export function plot(cells: readonly CellResult[], methods: readonly string[]): string {
  const width = PANEL.left + methods.length * (PANEL.width + PANEL.gap);
  const height = PANEL.top + PANEL.height + 48;
  const panels = methods.map((method, index) => {
    const left = PANEL.left + index * (PANEL.width + PANEL.gap);
    return panel(
      method,
      cells.filter((cell) => cell.method === method),
      left,
    );
  });
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<title>Coverage of the trimmed functional, one dot a cell of the grid</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...TICKS.map(
      (tick) =>
        `<text x="${PANEL.left - 8}" y="${y(tick) + 4}" text-anchor="end" fill="#444">${tick.toFixed(2)}</text>`,
    ),
    ...panels,
    '</svg>',
  ].join('\n')}\n`;
}

function panel(method: string, cells: readonly CellResult[], left: number): string {
  const column = PANEL.width / TEMPLATES.length;
  const dots = TEMPLATES.flatMap((templates, index) => {
    const own = cells.filter((cell) => cell.templates === templates);
    return own.map(({ functional }, place) => {
      const x = left + column * (index + 0.15 + (0.7 * (place + 0.5)) / own.length);
      return `<circle cx="${x.toFixed(1)}" cy="${y(functional).toFixed(1)}" r="1.6"/>`;
    });
  });
  const labels = TEMPLATES.map((templates, index) => {
    const x = left + column * (index + 0.5);
    return `<text x="${x}" y="${PANEL.top + PANEL.height + 18}" text-anchor="middle" fill="#444">T=${templates}</text>`;
  });
  const bandHeight = y(BAND.low) - y(BAND.high);
  return [
    `<text x="${left}" y="${PANEL.top - 14}" font-weight="bold">${method}</text>`,
    `<rect x="${left}" y="${PANEL.top}" width="${PANEL.width}" height="${PANEL.height}" fill="#f6f6f6"/>`,
    `<rect x="${left}" y="${y(BAND.high)}" width="${PANEL.width}" height="${bandHeight}" fill="#cfe8cf"/>`,
    `<line x1="${left}" x2="${left + PANEL.width}" y1="${y(0.95)}" y2="${y(0.95)}" stroke="#2a7a2a"/>`,
    `<g fill="#1f4e8c" fill-opacity="0.55">${dots.join('')}</g>`,
    ...labels,
  ].join('\n');
}

/** Where a coverage stands. */
function y(coverage: number): number {
  const share = (AXIS.high - Math.max(coverage, AXIS.low)) / (AXIS.high - AXIS.low);
  return PANEL.top + share * PANEL.height;
}
