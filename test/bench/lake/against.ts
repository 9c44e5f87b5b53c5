import type { Figure } from '../measure.js';

/** What the guard, the views and a fresh look at the folders may cost a question. */
const MAX_FIXED_MS = 3;

/** Where a question takes less without views, a ratio would tell of nothing but the fixed cost. */
const SHORT_MS = 10;

/**
 * Questions to the lake against the same to the same files without views. One file is no measure: of a file a day
 * DuckDB itself takes several times as long, and a file a day is what exports, deletions and filters by day need.
 * @param oursMs what so many questions took in all, of the lake; `theirsMs` without views.
 */
export function against(
  name: string,
  { oursMs, theirsMs, questions }: { oursMs: number; theirsMs: number; questions: number },
  detail: string,
): Figure {
  if (theirsMs >= SHORT_MS * questions) {
    return { name: `${name}, against files`, value: oursMs / theirsMs, unit: 'x', limit: 1.2, detail };
  }
  const value = (oursMs - theirsMs) / questions;
  return { name: `${name}, more than files`, value, unit: 'ms', limit: MAX_FIXED_MS, detail };
}
