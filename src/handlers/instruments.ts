import * as t from 'typanion';
import type { Environment } from '../base/environments.js';
import { HxError } from '../base/errors.js';
import type { ModelIdentity } from '../rpl/sample.js';
import type { Context } from './context.js';
import { type Instrument, type MeasurementInput, prepareInstrument, preparePurse } from './instrument.js';

/** More models than this at once are a study of its own, and as many accounts as nobody has. */
export const MAX_MODELS = 16;

/** The models of one request, each named once. */
export const isModelList = t.cascade(t.isArray(t.isString()), [
  t.hasMinLength(1),
  t.hasMaxLength(MAX_MODELS),
]);

/**
 * Resolves several models for one invocation: each at its own account's pace, all from one purse.
 * @param models undefined for the one that HX_MODEL names.
 * @throws HxError `usage` for a model named twice, and what prepareInstrument throws: nothing was asked yet.
 */
export async function prepareInstruments(
  models: readonly string[] | undefined,
  sizes: Omit<MeasurementInput, 'model'>,
  environment: Environment,
  context: Context,
): Promise<Instrument[]> {
  const purse = await preparePurse(context);
  const instruments = await Promise.all(
    (models ?? [undefined]).map((model) =>
      prepareInstrument({ ...sizes, model }, environment, context, purse),
    ),
  );
  refuseTwice(instruments.map(({ model }) => model.identity));
  return instruments;
}

/** @throws HxError `usage` for a model that is named twice. */
export function refuseTwice(identities: readonly ModelIdentity[]): void {
  const names = identities.map(({ model }) => model);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new HxError('usage', `The model ${twice} is named twice.`, { hint: 'Name each --model once.' });
  }
}
