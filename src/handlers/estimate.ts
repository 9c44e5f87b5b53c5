import * as t from 'typanion';
import { canonicalHash } from '../base/canonical.js';
import { HxError } from '../base/errors.js';
import {
  compareSamples,
  DEFAULT_ESTIMATOR,
  DEFAULT_RESAMPLES,
  ESTIMATORS,
  type Estimate,
  type Estimator,
  type EstimatorSample,
  estimate as estimateFrom,
} from '../rpl/estimator.js';
import type { Resampling } from '../rpl/interval.js';
import { SIZE } from '../rpl/plan.js';
import { seedFromHash } from '../rpl/prng.js';
import { refuseIdleResampling } from './contradictions.js';
import { defineHandler } from './handler.js';
import { isSeed, isWholeNumber } from './validators.js';

const isProbability = t.cascade(t.isNumber(), [t.isInInclusiveRange(0, 1)]);

/** A longer name is a text in the wrong field. */
const MAX_TEMPLATE_CHARACTERS = 200;

export const isEstimatorSample = t.isObject({
  template: t.cascade(t.isString(), [t.hasMaxLength(MAX_TEMPLATE_CHARACTERS)]),
  replicate: t.cascade(t.isNumber(), [t.isInteger(), t.isAtLeast(0)]),
  prob_true: isProbability,
});

/** The estimate for samples that were taken elsewhere. */
export const estimate = defineHandler({
  name: 'estimate',
  input: t.isObject({
    samples: t.isArray(isEstimatorSample),
    estimator: t.isOptional(t.isEnum(ESTIMATORS)),
    b: t.isOptional(isWholeNumber(SIZE.b)),
    seed: t.isOptional(isSeed),
  }),
  async run(input): Promise<Estimate> {
    const { ordered, resampling } = prepareSamples(input);
    return estimateFrom(ordered, { ...resampling, estimator: input.estimator ?? DEFAULT_ESTIMATOR });
  },
});

export interface SamplesInput {
  readonly samples: readonly EstimatorSample[];
  readonly estimator?: Estimator | undefined;
  readonly b?: number | undefined;
  readonly seed?: string | undefined;
}

/**
 * Samples in their one order, and the resampling that follows from them.
 * @throws HxError `usage` for two answers in one cell, or resamples where there is no bootstrap.
 */
export function prepareSamples(input: SamplesInput): { ordered: EstimatorSample[]; resampling: Resampling } {
  const { samples, estimator = DEFAULT_ESTIMATOR, b = DEFAULT_RESAMPLES, seed } = input;
  refuseIdleResampling(input, estimator === 't' ? 'The estimator t' : undefined);
  const ordered = [...samples].sort(compareSamples);
  refuseRepeatedCells(ordered);
  const material = ordered.map(({ template, replicate, prob_true }) => [template, replicate, prob_true]);
  const ownSeed = () => seedFromHash(canonicalHash({ samples: material, b, estimator }));
  return { ordered, resampling: { resamples: b, seed: seed === undefined ? ownSeed() : BigInt(seed) } };
}

/** Two answers for one cell are a mistake of the caller: which of them should count is not ours to guess. */
function refuseRepeatedCells(ordered: readonly EstimatorSample[]): void {
  ordered.forEach(({ template, replicate }, index) => {
    const next = ordered[index + 1];
    if (next?.template === template && next.replicate === replicate) {
      throw new HxError(
        'usage',
        `Template "${template}" has more than one sample for replicate ${replicate}.`,
        {
          hint: 'Number the replicates of a template 0, 1, 2, ...',
        },
      );
    }
  });
}
