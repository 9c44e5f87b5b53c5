import type { LakeRow } from '../../../src/lake/files/schema.js';
import type { Answer } from './answers.js';
import { beliefs, measuredOf } from './beliefs.js';
import { grouped, mean, probability, total } from './figures.js';

/** Claims of which every second is true, and what `@calibration` says of them in so many bins. */
export function calibrationByHand(
  rows: readonly LakeRow[],
  truths: ReadonlyMap<string, boolean>,
  bins: number,
): Answer {
  const labelled = beliefs(measuredOf(rows).filter(({ claim }) => truths.has(claim))).map((belief) => {
    const stated = probability(belief.centre);
    return {
      ...{ run: belief.run, runs: belief.runs.length, stated, truth: Number(truths.get(belief.run.claim)) },
      bin: Math.min(Math.floor(stated * bins), bins - 1),
    };
  });
  const scored = (group: readonly [(typeof labelled)[0], ...typeof labelled], stated: string) => {
    const n = group.length;
    const share = mean(group.map(({ truth }) => truth));
    const meanStated = mean(group.map((one) => one.stated));
    // Wilson: the shares whose own 95 % range just reaches the one seen.
    const z2 = 1.959964 ** 2;
    const middle = (share + z2 / (2 * n)) / (1 + z2 / n);
    const half = (Math.sqrt(z2) * Math.sqrt((share * (1 - share)) / n + z2 / (4 * n * n))) / (1 + z2 / n);
    const { model, bank, simulated } = group[0].run;
    return {
      ...{ model, bank, simulated, stated, claims: n, runs: total(group.map(({ runs }) => runs)) },
      ...{ mean_stated: meanStated, true_share: share, true_lo: middle - half, true_hi: middle + half },
      differs: meanStated < middle - half || meanStated > middle + half,
      brier: mean(group.map((one) => (one.stated - one.truth) ** 2)),
      log_loss: mean(group.map((one) => -Math.log(one.truth === 1 ? one.stated : 1 - one.stated))),
    };
  };
  return grouped(labelled, ({ run }) => [run.model, run.bank, run.simulated]).flatMap((all) => [
    ...grouped(all, ({ bin }) => bin).map((part) => {
      const { bin } = part[0];
      return scored(part, `${(bin / bins).toFixed(2)} to ${((bin + 1) / bins).toFixed(2)}`);
    }),
    scored(all, 'all'),
  ]);
}
