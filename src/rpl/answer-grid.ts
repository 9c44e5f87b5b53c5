import { logit } from './statistics.js';

/** Answer grids that models are seen to use, coarsest first, in probability. */
const ANSWER_GRID_STEPS = [0.05, 0.01, 0.001] as const;

/** How far from a multiple of a step an answer may lie, in steps: decimal fractions are not exact in binary. */
const TOLERANCE_STEPS = 1e-6;

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
