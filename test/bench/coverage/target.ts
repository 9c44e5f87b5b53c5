import { Prng } from '../../../src/rpl/prng.js';
import { logit, probabilityOf } from '../../../src/rpl/statistics.js';
import {
  type Believer,
  drawTemplateMean,
  gridStepOf,
  latentProbabilities,
  type Population,
} from './population.js';

/**
 * Template means that stand for infinitely many, shared among the beliefs of a population: with 32 of them each
 * target is off by some 2 % of the standard error of 16 templates.
 */
const POPULATION_SIZE = 2 ** 20;

/**
 * The population of template means behind a measurement, and its trimmed means: what an estimator would
 * converge to if it asked ever more wordings with the same replicates and went on dropping the same share from
 * each end. The rounding of answers, how the estimator reads a rounded 0 or 1, and answers that never come are
 * part of that population: they are part of what is measured.
 */
export class TemplateMeans {
  private readonly sorted: Float64Array | undefined;
  private readonly centre: number;
  private readonly known = new Map<number, number>();

  /**
   * @param replicates answers asked for by template; some may be missing.
   * @param gridStep by which answers of 0 and 1 are read; 0 where the estimator clamps them.
   */
  constructor(believer: Believer, replicates: number, gridStep: number, seed: bigint) {
    this.centre = logit(believer.latent);
    this.sorted = isSymmetric(believer.population)
      ? undefined
      : drawPopulation(believer, replicates, gridStep, seed);
  }

  /** The mean, as a probability, of what is left when `share` of the population is dropped from each end. */
  trimmedProbability(share: number): number {
    if (this.sorted === undefined) return probabilityOf(this.centre);
    let value = this.known.get(share);
    if (value === undefined) {
      value = trimmedProbability(this.sorted, share);
      this.known.set(share, value);
    }
    return value;
  }
}

function trimmedProbability(sorted: Float64Array, share: number): number {
  const dropped = Math.round(share * sorted.length);
  // Around the median, so that a population that stands on one point gives that point exactly.
  const middle = sorted[sorted.length >> 1] as number;
  let sum = 0;
  for (let rank = dropped; rank < sorted.length - dropped; rank += 1)
    sum += (sorted[rank] as number) - middle;
  return probabilityOf(middle + sum / (sorted.length - 2 * dropped));
}

/** Without a grid and without skew every trimmed mean of the population is its centre, known exactly. */
function isSymmetric(population: Population): boolean {
  return gridStepOf(population) === 0 && population.shape !== 'skewed';
}

function drawPopulation(
  believer: Believer,
  replicates: number,
  gridStep: number,
  seed: bigint,
): Float64Array {
  const prng = new Prng(seed);
  const means = new Float64Array(POPULATION_SIZE / latentProbabilities(believer.population).length);
  for (let index = 0; index < means.length; ) {
    const drawn = drawTemplateMean(believer, replicates, gridStep, prng);
    if (drawn === undefined) continue;
    means[index] = drawn;
    index += 1;
  }
  return means.sort();
}
