import * as t from 'typanion';
import { sha256Hex } from '../base/canonical.js';
import { type HxError, toHxError } from '../base/errors.js';
import { uuidv7 } from '../base/ids.js';
import { normalizeClaim } from '../rpl/claim.js';
import type { CheckRecord } from '../rpl/record.js';
import { checkWith } from './check.js';
import { defineHandler } from './handler.js';
import { isModelList, prepareInstruments } from './instruments.js';
import { sizeFields } from './validators.js';

/** What became of one model of a request. */
export type ModelResult =
  | { readonly model: string; readonly check: CheckRecord }
  | { readonly model: string; readonly error: HxError };

export interface CheckModelsResult {
  readonly request_id: string;
  readonly results: readonly ModelResult[];
}

/**
 * One claim put to several models, side by side, each at its own account's pace: one request, one check each. A
 * model that cannot be (a wrong name, no key) stops the request before anything is asked; one that fails while it
 * is asked takes no other down.
 */
export const checkModels = defineHandler({
  name: 'check',
  input: t.isObject({
    ...sizeFields,
    claim: t.isString(),
    models: isModelList,
    no_cache: t.isOptional(t.isBoolean()),
  }),
  async run({ claim, models, no_cache = false, ...sizes }, context): Promise<CheckModelsResult> {
    const { environment } = context.settings;
    const instruments = await prepareInstruments(models, sizes, environment, context);
    const names = instruments.map(({ model }) => model.identity.model);
    const claimHash = sha256Hex(normalizeClaim(claim));
    const { insertRequest } = await import('../operational/checks.js');
    const requestId = uuidv7(context.clock.now());
    await insertRequest(await context.lanes.database(), { requestId, claimHash, models: names });
    const results = await Promise.all(
      instruments.map(async (instrument): Promise<ModelResult> => {
        const { model } = instrument.model.identity;
        try {
          return {
            model,
            check: await checkWith({ instrument, claim, noCache: no_cache, requestId, context }),
          };
        } catch (thrown) {
          return { model, error: toHxError(thrown) };
        }
      }),
    );
    return { request_id: requestId, results };
  },
});
