/** Probabilities are clamped to [CLAMP, 1 - CLAMP] before their logit is taken. */
export const CLAMP = 1e-6;

/** Share of template means that is dropped from each end before averaging. */
export const TRIM_SHARE = 0.2;

/** ln(p / (1 - p)) of the clamped probability. */
export function logit(probability: number): number {
  const clamped = Math.min(Math.max(probability, CLAMP), 1 - CLAMP);
  return Math.log(clamped / (1 - clamped));
}

/** The probability of a logit. */
export function probabilityOf(logitValue: number): number {
  return 1 / (1 + Math.exp(-logitValue));
}

/** How many values a trimmed mean of `count` values drops from each end. */
export function trimCount(count: number): number {
  return Math.floor(TRIM_SHARE * count);
}

/** Arithmetic mean, summed in the order given. */
export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < values.length; index += 1) sum += values[index] as number;
  return sum / values.length;
}

/** 20 % trimmed mean of values sorted upward. */
export function trimmedMean(sorted: ArrayLike<number>): number {
  const dropped = trimCount(sorted.length);
  let sum = 0;
  for (let index = dropped; index < sorted.length - dropped; index += 1) sum += sorted[index] as number;
  return sum / (sorted.length - 2 * dropped);
}

/** Percentile of values sorted upward, by linear interpolation between closest ranks (type 7 of Hyndman and Fan). */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  const rank = share * (sorted.length - 1);
  const below = Math.floor(rank);
  const low = sorted[below] as number;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] as number;
  return low + (high - low) * (rank - below);
}

/** Sample standard deviation (n - 1). */
export function standardDeviation(values: ArrayLike<number>): number {
  const centre = mean(values);
  let squares = 0;
  for (let index = 0; index < values.length; index += 1) squares += ((values[index] as number) - centre) ** 2;
  return Math.sqrt(squares / (values.length - 1));
}
