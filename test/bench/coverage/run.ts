import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { DEFAULT_RESAMPLES } from '../../../src/rpl/estimator.js';
import { type CellResult, FIXED_METHODS, type Task } from './cell.js';
import { type GridSize, gridTasks, steadyTasks, taskName } from './grid.js';
import { plot } from './plot.js';
import { simulateAll } from './pool.js';
import { report } from './report.js';
import { figure, isOutside, summarise } from './summary.js';

/** How many times as many simulations a cell outside the band is looked at again with. */
const SECOND_LOOK_FACTOR = 4;

const { values } = parseArgs({
  options: {
    simulations: { type: 'string', default: '2000' },
    resamples: { type: 'string', default: '1000' },
    // A pattern of the names of tasks; their cells are printed and nothing is written.
    only: { type: 'string' },
    out: { type: 'string', default: fileURLToPath(new URL('../../../docs/', import.meta.url)) },
  },
});
const size: GridSize = { simulations: Number(values.simulations), resamples: Number(values.resamples) };
const started = performance.now();

if (values.only === undefined) await wholeGrid();
else await partOfGrid(new RegExp(values.only));
process.stdout.write(`${((performance.now() - started) / 1000).toFixed(0)} s\n`);

/** Simulates everything, looks again at what is outside the band, and writes the chapter of the docs. */
async function wholeGrid(): Promise<void> {
  const cells = await simulateAll(gridTasks(size), note('grid'));
  const secondLookSimulations = SECOND_LOOK_FACTOR * size.simulations;
  const doubtful = cells.filter((cell) => ['rpl-2', 'stein'].includes(cell.method) && isOutside(cell));
  const secondLook = await simulateAll(doubtful.map(lookAgain), note('second look'));
  const resampling = await compareResamples();
  const steady = await simulateAll(steadyTasks(size), note('steady'));
  const input = { ...size, cells, secondLook, secondLookSimulations, resampling, steady };

  writeFileSync(join(values.out, 'coverage.md'), report({ ...input, fullResamples: DEFAULT_RESAMPLES }));
  const fixed = cells.filter(({ sequential }) => sequential === null);
  writeFileSync(join(values.out, 'coverage.svg'), plot(fixed, FIXED_METHODS));
  for (const method of [...FIXED_METHODS, 'stein']) {
    const own = cells.filter((cell) => cell.method === method);
    for (const target of ['functional', 'latent'] as const) {
      const { lowest, mean, highest, below, above } = summarise(own, target);
      process.stdout.write(
        `${method} ${target}: mean ${figure(mean)}, ${figure(lowest)} to ${figure(highest)}, ${below} cells below the band and ${above} above\n`,
      );
    }
  }
  for (const method of ['rpl-2', 'stein']) {
    const left = secondLook.filter((cell) => cell.method === method && isOutside(cell)).length;
    process.stdout.write(`${method} after a second look: ${left} cells outside the band\n`);
  }
}

/** Simulates the tasks with such a name and prints their cells of rpl-2 and of the two-stage rule. */
async function partOfGrid(name: RegExp): Promise<void> {
  const tasks = gridTasks(size).filter((task) => name.test(taskName(task)));
  for (const cell of await simulateAll(tasks, note('part'))) {
    if (!['rpl-2', 'stein'].includes(cell.method)) continue;
    const { functional, latent, meanWidth, sequential } = cell;
    const asked =
      sequential === null
        ? `T=${cell.templates}`
        : `width=${sequential.width} of ${sequential.bankTemplates}`;
    const mark = isOutside(cell) ? '  outside' : '';
    process.stdout.write(
      `${cell.method} ${taskName(cell)} ${asked}: ${figure(functional)} (${figure(latent)}) ${figure(meanWidth)}${mark}\n`,
    );
  }
}

/** The same cell with more simulations and fresh seeds. */
function lookAgain(cell: CellResult): Task {
  const { population, replicates, templates, sequential } = cell;
  return {
    population,
    replicates,
    templates: sequential === null ? [templates] : [],
    sequential: sequential === null ? [] : [sequential],
    methods: ['rpl-2'],
    look: 1,
    simulations: SECOND_LOOK_FACTOR * size.simulations,
    resamples: size.resamples,
  };
}

/** The same measurements with the grid's resamples and with a check's. */
async function compareResamples(): Promise<[CellResult, CellResult][]> {
  const base: Task = {
    population: { shape: 'normal', tau: 0.4, sigma: 0.2, missing: 0 },
    replicates: 2,
    templates: [8, 12, 16],
    sequential: [],
    methods: ['rpl-1', 'rpl-2'],
    look: 2,
    ...size,
  };
  const many = { ...base, resamples: DEFAULT_RESAMPLES };
  const both = await simulateAll([base, many], note('resamples'));
  const half = both.length / 2;
  return both.slice(0, half).map((cell, index) => [cell, both[half + index] as CellResult]);
}

function note(what: string): (done: number, total: number) => void {
  return (done, total) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${what}: ${done} of ${total} `);
    if (process.stderr.isTTY && done === total) process.stderr.write('\n');
  };
}
