import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { DEFAULT_RESAMPLES } from '../../../src/rpl/estimator.js';
import { type CellResult, FIXED_METHODS, type Task } from './cell.js';
import { type GridSize, gridTasks } from './grid.js';
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
    out: { type: 'string', default: fileURLToPath(new URL('../../../docs/', import.meta.url)) },
  },
});
const size: GridSize = { simulations: Number(values.simulations), resamples: Number(values.resamples) };
const started = performance.now();

const cells = await simulateAll(gridTasks(size), note('grid'));
const secondLookSimulations = SECOND_LOOK_FACTOR * size.simulations;
const doubtful = cells.filter((cell) => ['rpl-2', 'stein'].includes(cell.method) && isOutside(cell));
const secondLook = await simulateAll(doubtful.map(lookAgain), note('second look'));
const resampling = await compareResamples();
const input = { ...size, cells, secondLook, secondLookSimulations, resampling };

writeFileSync(join(values.out, 'coverage.md'), report({ ...input, fullResamples: DEFAULT_RESAMPLES }));
const fixed = cells.filter(({ sequential }) => sequential === null);
writeFileSync(join(values.out, 'coverage.svg'), plot(fixed, FIXED_METHODS));
for (const method of [...FIXED_METHODS, 'stein']) {
  const { lowest, mean, highest, below, above } = summarise(
    cells.filter((cell) => cell.method === method),
    'functional',
  );
  process.stdout.write(
    `${method}: mean ${figure(mean)}, ${figure(lowest)} to ${figure(highest)}, ${below} cells below the band and ${above} above\n`,
  );
}
for (const method of ['rpl-2', 'stein']) {
  const left = secondLook.filter((cell) => cell.method === method && isOutside(cell)).length;
  process.stdout.write(`${method} after a second look: ${left} cells outside the band\n`);
}
process.stdout.write(`${((performance.now() - started) / 1000).toFixed(0)} s\n`);

/** The same cell with more simulations and fresh seeds. */
function lookAgain({ population, replicates, templates, sequential }: CellResult): Task {
  return {
    population,
    replicates,
    templates: sequential === null ? [templates] : [],
    sequential: sequential === null ? [] : [sequential],
    methods: ['rpl-2'],
    look: 1,
    simulations: secondLookSimulations,
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
