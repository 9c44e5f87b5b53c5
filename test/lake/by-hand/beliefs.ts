import type { LakeRow } from '../../../src/lake/files/schema.js';
import { grouped, logitOf, mean } from './figures.js';

export interface Belief {
  readonly run: LakeRow;
  readonly runs: readonly LakeRow[];
  readonly centre: number;
  readonly lo: number;
  readonly hi: number;
}

export const subject = ({ claim_hash, model, bank, bank_hash, simulated }: LakeRow) => [
  ...[claim_hash, model, bank, bank_hash, simulated],
];

/** Runs of one claim, model and bank, and whatever else has to be the same. */
export function beliefs(rows: readonly LakeRow[], besides: (row: LakeRow) => unknown = () => null): Belief[] {
  return grouped(rows, (row) => [subject(row), besides(row)]).map((runs) => ({
    run: runs[0],
    runs,
    centre: mean(runs.map(({ logit }) => logit)),
    lo: mean(runs.map(({ ci_lo }) => logitOf(ci_lo))),
    hi: mean(runs.map(({ ci_hi }) => logitOf(ci_hi))),
  }));
}

/** The difference of two beliefs with its interval (MOVER), and whether that leaves 0 out. */
export function difference(a: Belief, b: Belief) {
  const by = b.centre - a.centre;
  const lo = by - Math.hypot(b.centre - b.lo, a.hi - a.centre);
  const hi = by + Math.hypot(b.hi - b.centre, a.centre - a.lo);
  return { by, lo, hi, isSure: lo > 0 || hi < 0 };
}

export const named = ({ claim, model, bank, simulated }: LakeRow) => ({ claim, model, bank, simulated });
export const envOf = ({ env }: LakeRow) => env;
export const measuredOf = (rows: readonly LakeRow[]) => rows.filter(({ was_cached }) => !was_cached);
export const countOf = (rows: readonly LakeRow[], holds: (row: LakeRow) => boolean | null) =>
  rows.filter((row) => holds(row) === true).length;
