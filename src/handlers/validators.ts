import * as t from 'typanion';
import { isUuid } from '../base/ids.js';
import { SETTINGS } from '../base/settings-table.js';
import { ESTIMATORS } from '../rpl/estimator.js';
import { SIZE } from '../rpl/plan.js';
import { WIDTH } from '../rpl/sequential.js';

const MAX_SEED = 2n ** 64n - 1n;

/** A bootstrap seed: an unsigned 64-bit integer, written as decimal digits. */
export const isSeed = t.cascade(t.isString(), (value, state) => {
  if (/^\d{1,20}$/.test(value) && BigInt(value) <= MAX_SEED) return true;
  state?.errors?.push(`${state.p ?? '.'}: Expected a whole number from 0 to ${MAX_SEED} (got ${value})`);
  return false;
});

/** The run id of a check. */
export const isRunId = t.cascade(t.isString(), (value, state) => {
  if (isUuid(value)) return true;
  state?.errors?.push(`${state.p ?? '.'}: Expected a UUID`);
  return false;
});

/** A whole number between two bounds, both included. */
export function isWholeNumber(bounds: { minimum: number; maximum: number }) {
  return t.cascade(t.isNumber(), [t.isInteger(), t.isInInclusiveRange(bounds.minimum, bounds.maximum)]);
}

/** The fields by which check and research size a measurement; all optional. */
export const measurementFields = {
  model: t.isOptional(t.isString()),
  bank: t.isOptional(t.isString()),
  k: t.isOptional(isWholeNumber(SIZE.k)),
  r: t.isOptional(isWholeNumber(SIZE.r)),
  t: t.isOptional(isWholeNumber(SIZE.t)),
  b: t.isOptional(isWholeNumber(SIZE.b)),
  seed: t.isOptional(isSeed),
  estimator: t.isOptional(t.isEnum(ESTIMATORS)),
  width: t.isOptional(t.cascade(t.isNumber(), [t.isInInclusiveRange(WIDTH.minimum, WIDTH.maximum)])),
  max_calls: t.isOptional(isWholeNumber(SIZE.calls)),
  readout: t.isOptional(t.isBoolean()),
  concurrency: t.isOptional(isWholeNumber(SETTINGS.HX_CONCURRENCY.number)),
};
