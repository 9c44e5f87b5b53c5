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

/** A whole number between two bounds, both included; the error names them. Text on a command line may be one too. */
export function isWholeNumber({ minimum, maximum }: { minimum: number; maximum: number }) {
  return t.makeValidator<unknown, number>({
    test: (value, state): value is number => {
      const isText = typeof value === 'string' && state?.coercions !== undefined;
      const number = isText && /^\d+$/.test(value) ? Number(value) : value;
      if (Number.isInteger(number) && Number(number) >= minimum && Number(number) <= maximum) {
        if (isText && state?.coercion !== undefined) {
          state.coercions?.push([state.p ?? '.', state.coercion.bind(null, number)]);
        }
        return true;
      }
      const got = typeof value === 'object' ? 'something else' : String(value);
      state?.errors?.push(
        `${state.p ?? '.'}: Expected a whole number from ${minimum} to ${maximum} (got ${got})`,
      );
      return false;
    },
  });
}

/** The fields by which check and research size a measurement, whatever the model; all optional. */
export const sizeFields = {
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

/** The same with the one model that is asked. */
export const measurementFields = { model: t.isOptional(t.isString()), ...sizeFields };
