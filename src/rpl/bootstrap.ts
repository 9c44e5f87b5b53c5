import type { Prng } from './prng.js';
import { trimCount } from './statistics.js';

/**
 * One-stage bootstrap of the trimmed mean: resamples template means.
 * The values come sorted, so counting how often each was drawn replaces sorting each resample.
 * @param sortedMeans T template means in logits, sorted upward.
 * @returns B resampled trimmed means in logits, sorted upward.
 */
export function oneStageBootstrap(sortedMeans: Float64Array, resamples: number, prng: Prng): Float64Array {
  const size = sortedMeans.length;
  const dropped = trimCount(size);
  const drawn = new Int32Array(size);
  const statistics = new Float64Array(resamples);
  for (let resample = 0; resample < resamples; resample += 1) {
    drawn.fill(0);
    for (let draw = 0; draw < size; draw += 1) {
      const index = prng.below(size);
      drawn[index] = (drawn[index] as number) + 1;
    }
    statistics[resample] = trimmedMeanOfCounts(sortedMeans, drawn, dropped);
  }
  return statistics.sort();
}

/** Trimmed mean of the multiset in which sorted value i stands drawn[i] times. */
function trimmedMeanOfCounts(sorted: Float64Array, drawn: Int32Array, dropped: number): number {
  const size = sorted.length;
  let rank = 0;
  let sum = 0;
  for (let index = 0; index < size; index += 1) {
    const count = drawn[index] as number;
    const kept = Math.min(rank + count, size - dropped) - Math.max(rank, dropped);
    if (kept > 0) sum += kept * (sorted[index] as number);
    rank += count;
  }
  return sum / (size - 2 * dropped);
}

/**
 * Two-stage cluster bootstrap of the trimmed mean: resamples templates, then the replicates within each.
 * @param groups T arrays of logits, one a template, in a fixed order.
 * @returns B resampled trimmed means in logits, sorted upward.
 */
export function twoStageBootstrap(
  groups: readonly Float64Array[],
  resamples: number,
  prng: Prng,
): Float64Array {
  const size = groups.length;
  const dropped = trimCount(size);
  const means = new Float64Array(size);
  const statistics = new Float64Array(resamples);
  for (let resample = 0; resample < resamples; resample += 1) {
    for (let draw = 0; draw < size; draw += 1) {
      insertSorted(means, draw, resampledMean(groups[prng.below(size)] as Float64Array, prng));
    }
    let sum = 0;
    for (let index = dropped; index < size - dropped; index += 1) sum += means[index] as number;
    statistics[resample] = sum / (size - 2 * dropped);
  }
  return statistics.sort();
}

function resampledMean(group: Float64Array, prng: Prng): number {
  let sum = 0;
  for (let draw = 0; draw < group.length; draw += 1) sum += group[prng.below(group.length)] as number;
  return sum / group.length;
}

/** Puts a value into its place among the first `length` sorted values. */
function insertSorted(values: Float64Array, length: number, value: number): void {
  let place = length;
  while (place > 0 && (values[place - 1] as number) > value) {
    values[place] = values[place - 1] as number;
    place -= 1;
  }
  values[place] = value;
}
