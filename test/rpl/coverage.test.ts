import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type CellResult, simulate, type Task } from '../bench/coverage/cell.js';
import type { Population, Shape } from '../bench/coverage/population.js';
import { standardError } from '../bench/coverage/summary.js';
import { TemplateMeans } from '../bench/coverage/target.js';

/** A fixed small part of the grid of `npm run bench:coverage`, so that a change that costs coverage is seen. */
const coverage = suite('rpl coverage');

const SIMULATIONS = 600;
/** The band in which every cell of rpl-2 should lie, and how far chance may carry these few simulations. */
const BAND = { low: 0.935, high: 0.98 };
const CHANCE = 3;

function population(shape: Shape, tau: number, sigma: number, missing = 0): Population {
  return { shape, tau, sigma, missing };
}

function cells(part: Population, replicates: number, more: Partial<Task>): CellResult[] {
  const none = { templates: [], sequential: [], methods: ['rpl-2'] as const };
  return simulate({
    population: part,
    replicates,
    simulations: SIMULATIONS,
    resamples: 300,
    look: 3,
    ...none,
    ...more,
  });
}

function within(cell: CellResult): void {
  const { functional, latent, intervals, templates, population: from } = cell;
  const low = BAND.low - CHANCE * standardError(BAND.low, intervals);
  const high = BAND.high + CHANCE * standardError(BAND.high, intervals);
  const name = `${cell.method} ${JSON.stringify(from)} T=${templates}: ${functional} (${latent})`;
  assert.ok(Math.min(functional, latent) >= low && Math.max(functional, latent) <= high, name);
}

coverage('rpl-2 holds its level over templates, noise, tails, skew, grids and missing answers', () => {
  const parts = [
    [population('normal', 0.4, 0), 1],
    [population('normal', 0.1, 1), 2],
    [population('t3', 0.4, 0.2, 0.1), 2],
    [population('skewed', 0.4, 0), 1],
    [population('contaminated', 0.4, 0.2), 1],
    [population('grid-5', 0.4, 0.2, 0.1), 2],
    [population('extreme', 1, 0.8), 1],
    // The means of 12 templates are known more closely than a step of the answers' grid.
    [population('grid-5', 0.15, 0.15), 2],
    [population('extreme', 0.15, 0.15), 2],
  ] as const;
  for (const [part, replicates] of parts) {
    const templates = replicates === 1 ? [4, 8, 16] : [5, 12];
    for (const cell of cells(part, replicates, { templates })) within(cell);
  }
});

coverage('a measurement to a wanted width holds its level, also when the bank is too small for it', () => {
  const sequential = [0.1, 0.15].flatMap((width) =>
    [16, 32].map((bankTemplates) => ({ width, bankTemplates })),
  );
  for (const shape of ['normal', 't3', 'skewed', 'contaminated'] as const) {
    for (const cell of cells(population(shape, 0.4, 0.2), 1, { sequential, simulations: 1_500 })) {
      within(cell);
    }
  }
});

coverage('the wanted width is kept wherever the bank is large enough for it', () => {
  const wanted = [{ width: 0.15, bankTemplates: 1_000 }];
  const [cell] = cells(population('normal', 0.4, 0.2), 1, { sequential: wanted });
  assert.ok(cell !== undefined && cell.templates > 9 && cell.templates < 20, `${cell?.templates}`);
  // The later templates may turn out to scatter more than the first, and then the interval says so.
  assert.ok((cell.narrow ?? 0) > 0.85, `${cell.narrow}`);
});

coverage('what rpl-2 mends is seen to be broken in the others', () => {
  const [reference] = cells(population('normal', 0.4, 0), 1, { templates: [5], methods: ['rpl-1'] });
  assert.ok((reference?.functional ?? 1) < 0.92, `rpl-1: ${reference?.functional}`);
  const [student] = cells(population('extreme', 1, 0.8), 1, { templates: [12], methods: ['t'] });
  assert.ok((student?.functional ?? 1) < 0.85, `t: ${student?.functional}`);
});

coverage('the target is the trimmed mean of the population of template means', () => {
  const at = (part: Population, share: number, gridStep = 0) =>
    new TemplateMeans({ population: part, latent: 0.7 }, 2, gridStep, 11n).trimmedProbability(share);
  assert.ok(Math.abs(at(population('t3', 1, 1), 0.2) - 0.7) < 1e-12);
  // Skewed effects have mean 0, and a long tail upward that trimming takes away.
  assert.ok(Math.abs(at(population('skewed', 0.4, 0), 0) - 0.7) < 5e-4);
  assert.ok(at(population('skewed', 0.4, 0), 0.2) < 0.692);
  // Every answer is rounded to 0.70 exactly: so is the target.
  assert.is(at(population('grid-5', 0.01, 0.01), 0.2, 0.05).toFixed(12), '0.700000000000');
});

coverage('the same task gives the same cells', () => {
  const once = () => cells(population('grid-1', 0.4, 0.2, 0.1), 2, { templates: [8], simulations: 50 });
  assert.equal(once(), once());
});

coverage.run();
