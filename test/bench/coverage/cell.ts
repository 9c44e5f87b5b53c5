import { canonicalHash } from '../../../src/base/canonical.js';
import {
  ESTIMATORS,
  type Estimate,
  type EstimatorSample,
  estimate,
  type IntervalMethod,
  MIN_TEMPLATES,
  MIN_USABLE_SAMPLES,
} from '../../../src/rpl/estimator.js';
import { BOOTSTRAP_FROM_TEMPLATES } from '../../../src/rpl/interval.js';
import { Prng, seedFromHash } from '../../../src/rpl/prng.js';
import { FIRST_STAGE_TEMPLATES, templatesForWidth } from '../../../src/rpl/sequential.js';
import { trimCount } from '../../../src/rpl/statistics.js';
import {
  type Believer,
  drawSamples,
  gridStepOf,
  latentProbabilities,
  type Population,
} from './population.js';
import { TemplateMeans } from './target.js';

/** Differences below this, in probability, are rounding and no miss. */
const ROUNDING = 1e-9;

/** What one task simulates: a population and replicates, for several T or several wanted widths. */
export interface Task {
  readonly population: Population;
  readonly replicates: number;
  /** Numbers of templates to score every estimator at. */
  readonly templates: readonly number[];
  /** Wanted widths to score the two-stage rule at, in probability, and how many templates it may ask. */
  readonly sequential: readonly SequentialCell[];
  readonly simulations: number;
  /** Bootstrap resamples. */
  readonly resamples: number;
  readonly methods: readonly IntervalMethod[];
  /** Told apart in the seeds, so that a second look is a fresh one. */
  readonly look: number;
}

/** A wanted width, in probability, and a bank of so many templates. */
export interface SequentialCell {
  readonly width: number;
  readonly bankTemplates: number;
}

/** How often one interval held in one cell. */
export interface CellResult {
  readonly population: Population;
  readonly replicates: number;
  /** Templates asked; the mean number for a measurement to a wanted width. */
  readonly templates: number;
  /** Null where the number of templates was given. */
  readonly sequential: SequentialCell | null;
  readonly method: IntervalMethod;
  /** Measurements with an interval; too few answers give none. */
  readonly intervals: number;
  /** Share of intervals that hold the trimmed functional. */
  readonly functional: number;
  /** Share of intervals that hold the latent probability. */
  readonly latent: number;
  /** Mean width, in probability. */
  readonly meanWidth: number;
  /** Share of intervals no wider than wanted; null where no width was wanted. */
  readonly narrow: number | null;
}

/** A belief to measure, and what each estimator would make of ever more wordings of it. */
interface Subject extends Believer {
  readonly targetOf: (result: Estimate) => number;
}

/** All cells of a task. */
export function simulate(task: Task): CellResult[] {
  const { population, replicates, look } = task;
  const seed = (part: string, size: number) =>
    seedFromHash(canonicalHash({ part, size, look, replicates, ...population }));
  const subjects = latentProbabilities(population).map((latent) =>
    subjectOf({ population, latent }, replicates, seed('target', 0)),
  );
  return [
    ...task.templates.flatMap((templates) => fixedCell(task, templates, subjects, seed('fixed', templates))),
    ...task.sequential.map((cell) => sequentialCell(task, cell, subjects, seed('width', cell.width))),
  ];
}

function subjectOf(believer: Believer, replicates: number, seed: bigint): Subject {
  const step = gridStepOf(believer.population);
  const clamped = new TemplateMeans(believer, replicates, 0, seed);
  const byGrid = step === 0 ? clamped : new TemplateMeans(believer, replicates, step, seed);
  const targetOf = ({ estimator, n_templates }: Estimate) =>
    (estimator === 'rpl-1' || estimator === 't' ? clamped : byGrid).trimmedProbability(
      trimmedShare(estimator, n_templates),
    );
  return { ...believer, targetOf };
}

/** The share that an estimator drops from each end. */
export function trimmedShare(method: IntervalMethod, templates: number): number {
  const trims = method === 'rpl-1' || (method === 'rpl-2' && templates >= BOOTSTRAP_FROM_TEMPLATES);
  return trims ? trimCount(templates) / templates : 0;
}

function fixedCell(task: Task, templates: number, subjects: readonly Subject[], seed: bigint): CellResult[] {
  const prng = new Prng(seed);
  const scores = task.methods.map((estimator) => new Score(task, estimator, null));
  for (let simulation = 0; simulation < task.simulations; simulation += 1) {
    const subject = subjects[simulation % subjects.length] as Subject;
    const samples = drawSamples(subject, templates, task.replicates, prng);
    if (!allowsEstimate(samples)) continue;
    for (const score of scores) {
      const options = { estimator: score.method, resamples: task.resamples, seed: BigInt(simulation) };
      score.add(estimate(samples, options), subject, templates);
    }
  }
  return scores.map((score) => score.result());
}

function sequentialCell(
  task: Task,
  cell: SequentialCell,
  subjects: readonly Subject[],
  seed: bigint,
): CellResult {
  const prng = new Prng(seed);
  const score = new Score(task, 'stein', cell);
  for (let simulation = 0; simulation < task.simulations; simulation += 1) {
    const subject = subjects[simulation % subjects.length] as Subject;
    const first = drawSamples(subject, FIRST_STAGE_TEMPLATES, task.replicates, prng);
    if (!allowsEstimate(first)) continue;
    const wanted = Math.max(FIRST_STAGE_TEMPLATES, templatesForWidth(first, cell.width));
    const templates = Math.min(wanted, cell.bankTemplates);
    const more = drawSamples(subject, templates - FIRST_STAGE_TEMPLATES, task.replicates, prng);
    const second = more.map((sample) => ({ ...sample, template: `second-${sample.template}` }));
    const firstStage = wanted > templates ? undefined : [...new Set(first.map(({ template }) => template))];
    const options = { estimator: 'stein', firstStage, resamples: 0, seed: 0n } as const;
    score.add(estimate([...first, ...second], options), subject, templates);
  }
  return score.result();
}

function allowsEstimate(samples: readonly EstimatorSample[]): boolean {
  const templates = new Set(samples.map(({ template }) => template)).size;
  return samples.length >= MIN_USABLE_SAMPLES && templates >= MIN_TEMPLATES;
}

/** Counts how often an interval held. */
class Score {
  readonly method: IntervalMethod;
  private readonly task: Task;
  private readonly cell: SequentialCell | null;
  private intervals = 0;
  private functional = 0;
  private latent = 0;
  private widths = 0;
  private narrow = 0;
  private templates = 0;

  constructor(task: Task, method: IntervalMethod, cell: SequentialCell | null) {
    this.task = task;
    this.method = method;
    this.cell = cell;
  }

  add(result: Estimate, { latent, targetOf }: Subject, templates: number): void {
    this.intervals += 1;
    this.templates += templates;
    this.widths += result.ci_width;
    if (holds(result, targetOf(result))) this.functional += 1;
    if (holds(result, latent)) this.latent += 1;
    if (this.cell !== null && result.ci_width <= this.cell.width + ROUNDING) this.narrow += 1;
  }

  result(): CellResult {
    const { population, replicates } = this.task;
    return {
      population,
      replicates,
      templates: this.templates / this.intervals,
      sequential: this.cell,
      method: this.method,
      intervals: this.intervals,
      functional: this.functional / this.intervals,
      latent: this.latent / this.intervals,
      meanWidth: this.widths / this.intervals,
      narrow: this.cell === null ? null : this.narrow / this.intervals,
    };
  }
}

function holds({ ci_lo, ci_hi }: Estimate, value: number): boolean {
  return ci_lo - ROUNDING <= value && value <= ci_hi + ROUNDING;
}

export const FIXED_METHODS: readonly IntervalMethod[] = ESTIMATORS;
