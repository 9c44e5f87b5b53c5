import { FIXED_METHODS, type SequentialCell, type Task } from './cell.js';
import { SHAPES, type Spread } from './population.js';

export const TEMPLATES = [4, 5, 8, 12, 16] as const;
export const REPLICATES = [1, 2, 3] as const;
export const MISSING = [0, 0.1] as const;

/** Wanted widths at which the two-stage rule is scored, in probability. */
export const WIDTHS = [0.05, 0.1, 0.15, 0.3] as const;
/** Sizes of the banks that ship with hx. */
export const BANK_TEMPLATES = [16, 32] as const;

/** Spreads in logits: a steady model, wording alone, mostly wording, a noisy model, almost only chance. */
export const SPREADS: readonly Spread[] = [
  { tau: 0.15, sigma: 0.15 },
  { tau: 0.4, sigma: 0 },
  { tau: 0.4, sigma: 0.2 },
  { tau: 1, sigma: 0.8 },
  { tau: 0.1, sigma: 1 },
];

const SEQUENTIAL: readonly SequentialCell[] = BANK_TEMPLATES.flatMap((bankTemplates) =>
  WIDTHS.map((width) => ({ width, bankTemplates })),
);

export interface GridSize {
  readonly simulations: number;
  readonly resamples: number;
}

/** The whole grid as tasks; the cells of a task share their population. */
export function gridTasks({ simulations, resamples }: GridSize): Task[] {
  return SHAPES.flatMap((shape) =>
    SPREADS.flatMap((spread) =>
      REPLICATES.flatMap((replicates) =>
        MISSING.map((missing): Task => {
          const population = { shape, ...spread, missing };
          const cells = { templates: TEMPLATES, sequential: SEQUENTIAL, methods: FIXED_METHODS };
          return { population, replicates, ...cells, simulations, resamples, look: 0 };
        }),
      ),
    ),
  );
}

/** Spreads in logits of beliefs that hardly scatter against the grid of their answers. */
const STEADY_SPREADS: readonly Spread[] = [
  { tau: 0.02, sigma: 0.02 },
  { tau: 0.05, sigma: 0.05 },
  { tau: 0.1, sigma: 0.1 },
];

/** Measurements whose answers are nearly all alike, beside the grid. */
export function steadyTasks(size: GridSize): Task[] {
  return (['grid-5', 'extreme'] as const).flatMap((shape) =>
    STEADY_SPREADS.map((spread): Task => {
      const population = { shape, ...spread, missing: 0 };
      const cells = { templates: TEMPLATES, sequential: [], methods: ['rpl-2'] as const };
      return { population, replicates: 2, ...cells, ...size, look: 0 };
    }),
  );
}

/** What a task is called where one is chosen by name. */
export function taskName({ population, replicates }: Pick<Task, 'population' | 'replicates'>): string {
  const { shape, tau, sigma, missing } = population;
  return `${shape} tau=${tau} sigma=${sigma} R=${replicates} missing=${missing}`;
}
