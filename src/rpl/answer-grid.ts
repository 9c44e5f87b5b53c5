import { CONFIDENCE_LEVEL } from './interval.js';
import { logit, percentile, standardDeviation } from './statistics.js';

/** Answer grids that models are seen to use, coarsest first, in probability. */
const ANSWER_GRID_STEPS = [0.05, 0.01, 0.001] as const;

/** How far from a multiple of a step an answer may lie, in steps: decimal fractions are not exact in binary. */
const TOLERANCE_STEPS = 1e-6;

/** Answers farther from the median than this are outliers: they do not show what rounding does near the centre. */
const NEAR_STEPS = 2;

/** The coarsest grid on which every answer lies, in probability; 0 when they lie on none. */
export function answerGridStep(answers: readonly number[]): number {
  return ANSWER_GRID_STEPS.find((step) => answers.every((answer) => liesOn(answer, step))) ?? 0;
}

function liesOn(answer: number, step: number): boolean {
  const steps = answer / step;
  return Math.abs(steps - Math.round(steps)) < TOLERANCE_STEPS;
}

/**
 * The logit of a rounded answer. An answer of 1 on a 1 % grid says "above 0.995", not 0.999999: it is read as
 * the middle of what it stands for, a quarter of a step from the end, and 0 likewise. Otherwise one rounded
 * answer would weigh as much as ten unrounded ones. Without a grid the usual clamp applies.
 * @param step of the grid, in probability; 0 for none.
 */
export function gridLogit(answer: number, step: number): number {
  return logit(Math.min(Math.max(answer, step / 4), 1 - step / 4));
}

/**
 * How far rounding may have moved the centre of the answers, in probability.
 *
 * Where all answers are alike their mean is off by as much as each of them: anything up to half a step, so that 95 %
 * of half a step holds in 95 of 100. Where beliefs scatter, the roundings differ and cancel out: of a normal scatter
 * of s steps a share of exp(-2 (pi s)^2) remains (the first term of the Fourier series of the rounding error: Widrow
 * and Kollar, "Quantization Noise", 2008). s^2 is the variance of the answers less the 1/12 that rounding adds
 * (Sheppard's correction). Two neighbouring values show no scatter yet: one belief on the border between them gives
 * both.
 * @param step of the grid, in probability; 0 for none.
 */
export function roundingMargin(answers: readonly number[], step: number): number {
  if (step === 0) return 0;
  const inSteps = Float64Array.from(answers, (answer) => Math.round(answer / step)).sort();
  const middle = percentile(inSteps, 0.5);
  const near = inSteps.filter((answer) => Math.abs(answer - middle) <= NEAR_STEPS);
  const alike = CONFIDENCE_LEVEL * (step / 2);
  const range = (near[near.length - 1] ?? 0) - (near[0] ?? 0);
  if (range <= 1) return alike;
  const scatter = Math.max(0, standardDeviation(near) ** 2 - 1 / 12);
  return alike * Math.exp(-2 * Math.PI ** 2 * scatter);
}
