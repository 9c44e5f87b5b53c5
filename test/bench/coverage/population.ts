import { gridLogit } from '../../../src/rpl/answer-grid.js';
import type { EstimatorSample } from '../../../src/rpl/estimator.js';
import type { Prng } from '../../../src/rpl/prng.js';
import { logit, probabilityOf } from '../../../src/rpl/statistics.js';

/** How the effects of templates are distributed, and how answers are written down. */
export const SHAPES = ['normal', 't3', 'skewed', 'contaminated', 'grid-5', 'grid-1', 'extreme'] as const;
export type Shape = (typeof SHAPES)[number];

export const SHAPE_MEANINGS: Readonly<Record<Shape, string>> = {
  normal: 'normal template effects',
  t3: "template effects of Student's t with 3 degrees of freedom",
  skewed: 'skewed template effects: gamma with shape 4, centred, skewness 1',
  contaminated: 'normal template effects, one in ten drawn with five times the spread',
  'grid-5': 'normal template effects, answers rounded to 5 %',
  'grid-1': 'normal template effects, answers rounded to 1 %',
  extreme: 'latent probability 0.97, answers rounded to 1 %, so that some are 1.00 exactly',
};

/** Standard deviations in logits. */
export interface Spread {
  /** Scale of the template effects. */
  readonly tau: number;
  /** Standard deviation of the replicates of a template. */
  readonly sigma: number;
}

/** A generating distribution: everything about the answers but how many are taken. */
export interface Population extends Spread {
  readonly shape: Shape;
  /** Share of answers that never come. */
  readonly missing: number;
}

/** Places of the latent probability within a step of the answers' grid. */
export const GRID_OFFSETS = 32;

/**
 * The beliefs that the simulated model holds, before wording and chance: one, or, where answers are rounded, as
 * many spread evenly over a step around it. A belief does not know of the grid; one that always lay on a point
 * of it would make every rounded answer right, and one between two points every one wrong.
 */
export function latentProbabilities(population: Pick<Population, 'shape'>): number[] {
  const middle = population.shape === 'extreme' ? 0.97 : 0.7;
  const step = gridStepOf(population);
  if (step === 0) return [middle];
  return Array.from(
    { length: GRID_OFFSETS },
    (_, place) => middle + step * ((place + 0.5) / GRID_OFFSETS - 0.5),
  );
}

/** A population at one of its beliefs. */
export interface Believer {
  readonly population: Population;
  /** The belief, in probability. */
  readonly latent: number;
}

/** One measurement of T templates with R replicates each, less what is missing. */
export function drawSamples(
  { population, latent }: Believer,
  templates: number,
  replicates: number,
  prng: Prng,
): EstimatorSample[] {
  const samples: EstimatorSample[] = [];
  for (let template = 0; template < templates; template += 1) {
    const belief = drawTemplate(population, latent, prng);
    for (let replicate = 0; replicate < replicates; replicate += 1) {
      const prob_true = drawAnswer(population, belief, prng);
      if (prng.uniform() >= population.missing)
        samples.push({ template: `t${template}`, replicate, prob_true });
    }
  }
  return samples;
}

/** The step on which answers are written down; 0 for none. */
export function gridStepOf({ shape }: Pick<Population, 'shape'>): number {
  if (shape === 'grid-5') return 0.05;
  return shape === 'grid-1' || shape === 'extreme' ? 0.01 : 0;
}

/**
 * The mean logit of one template over the answers that came; undefined when none came.
 * @param gridStep by which answers of 0 and 1 are read; 0 where the estimator clamps them.
 */
export function drawTemplateMean(
  { population, latent }: Believer,
  replicates: number,
  gridStep: number,
  prng: Prng,
): number | undefined {
  const belief = drawTemplate(population, latent, prng);
  let sum = 0;
  let answers = 0;
  for (let replicate = 0; replicate < replicates; replicate += 1) {
    const answer = drawAnswer(population, belief, prng);
    if (prng.uniform() < population.missing) continue;
    sum += gridLogit(answer, gridStep);
    answers += 1;
  }
  return answers === 0 ? undefined : sum / answers;
}

/** A template's belief in logits. */
function drawTemplate(population: Population, latent: number, prng: Prng): number {
  return logit(latent) + population.tau * drawEffect(population.shape, prng);
}

function drawEffect(shape: Shape, prng: Prng): number {
  if (shape === 't3') {
    const chiSquare = prng.normal() ** 2 + prng.normal() ** 2 + prng.normal() ** 2;
    return prng.normal() / Math.sqrt(chiSquare / 3);
  }
  if (shape === 'skewed') {
    // A gamma of shape 4 is the sum of four exponentials; mean 4 and standard deviation 2.
    const product = prng.uniform() * prng.uniform() * prng.uniform() * prng.uniform();
    return (-Math.log(product) - 4) / 2;
  }
  if (shape === 'contaminated') return prng.normal() * (prng.uniform() < 0.1 ? 5 : 1);
  return prng.normal();
}

function drawAnswer(population: Population, belief: number, prng: Prng): number {
  const probability = probabilityOf(belief + population.sigma * prng.normal());
  const steps = Math.round(1 / gridStepOf(population));
  return Number.isFinite(steps) ? Math.round(probability * steps) / steps : probability;
}
