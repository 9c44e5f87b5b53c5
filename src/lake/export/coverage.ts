import type { Rectangle } from '../catalog/range-names.js';

/** Days asked for; null for no end. */
export type Dates = Pick<Rectangle, 'since' | 'until'>;

export const ALL_DATES: Dates = { since: null, until: null };

/** Where the chain of undated commits ends: everything before was exported. 0 for an empty chain. */
function watermark(commits: readonly Rectangle[]): bigint {
  return chainEnd(commits.filter(isUndated), 0n);
}

/** How far exports went, of whatever days. 0 for none. */
export function reach(commits: readonly Rectangle[]): bigint {
  return commits.reduce((highest, { hi }) => (hi > highest ? hi : highest), 0n);
}

/** Where the next export of these days starts: nothing before it is missing from the lake on those days. */
export function startOf(commits: readonly Rectangle[], dates: Dates): bigint {
  const same = commits.filter(({ since, until }) => since === dates.since && until === dates.until);
  const end = watermark(commits);
  return isUndated(dates) ? end : chainEnd(same, end);
}

/** Follows commits from `start` on for as long as each begins before the last one's end. */
function chainEnd(commits: readonly Rectangle[], start: bigint): bigint {
  let end = start;
  for (const { lo, hi } of [...commits].sort(byLo)) {
    if (lo > end) break;
    if (hi > end) end = hi;
  }
  return end;
}

/** The commits that a request overlaps, whose rows it leaves out; those of the same days that touch become one. */
export function overlapping(commits: readonly Rectangle[], request: Rectangle): Rectangle[] {
  const joined: Rectangle[] = [];
  for (const commit of [...commits].sort(byDatesThenLo)) {
    if (!overlaps(commit, request)) continue;
    const last = joined.at(-1);
    if (last !== undefined && sameDates(last, commit) && commit.lo <= last.hi) {
      joined[joined.length - 1] = { ...last, hi: commit.hi > last.hi ? commit.hi : last.hi };
    } else joined.push(commit);
  }
  return joined;
}

export interface ChainProblem {
  readonly problem: 'gap' | 'overlap';
  readonly lo: bigint;
  readonly hi: bigint;
}

/** Where the undated commits leave transactions out, or cover them twice. */
export function chainProblems(commits: readonly Rectangle[]): ChainProblem[] {
  const problems: ChainProblem[] = [];
  let end = 0n;
  for (const { lo, hi } of commits.filter(isUndated).sort(byLo)) {
    if (lo > end) problems.push({ problem: 'gap', lo: end, hi: lo });
    if (lo < end) problems.push({ problem: 'overlap', lo, hi: hi < end ? hi : end });
    if (hi > end) end = hi;
  }
  return problems;
}

export function isUndated({ since, until }: Dates): boolean {
  return since === null && until === null;
}

function overlaps(one: Rectangle, other: Rectangle): boolean {
  return (
    one.lo < other.hi &&
    other.lo < one.hi &&
    (one.until ?? LAST) >= (other.since ?? FIRST) &&
    (other.until ?? LAST) >= (one.since ?? FIRST)
  );
}

/** Dates compare as text. */
const FIRST = '';
const LAST = '~';

/** Whether two ranges cover the same. */
export function sameRectangle(one: Rectangle, other: Rectangle): boolean {
  return one.lo === other.lo && one.hi === other.hi && sameDates(one, other);
}

function sameDates(one: Dates, other: Dates): boolean {
  return one.since === other.since && one.until === other.until;
}

function byLo(one: Rectangle, other: Rectangle): number {
  if (one.lo !== other.lo) return one.lo < other.lo ? -1 : 1;
  return one.hi < other.hi ? -1 : one.hi > other.hi ? 1 : 0;
}

function byDatesThenLo(one: Rectangle, other: Rectangle): number {
  const key = ({ since, until }: Dates) => `${since ?? FIRST}/${until ?? LAST}`;
  return key(one) === key(other) ? byLo(one, other) : key(one) < key(other) ? -1 : 1;
}
