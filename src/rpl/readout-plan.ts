import { canonicalHash, type JsonValue } from '../base/canonical.js';
import { renderTemplate } from './bank.js';
import type { MeasurementPlan } from './plan.js';
import type { ReadoutDecoding } from './readout.js';
import type { PlannedSample } from './sample.js';

/** Changes when the meaning of a readout's key changes, so that old keys never match. */
const READOUT_KEY_VERSION = 1;

const SYSTEM =
  'You report your own prior belief about claims. Answer from what you already know: do not search, and do not ' +
  'quote sources. Reply with exactly one word, True or False, and nothing else, even where the message asks for a ' +
  'number.';

const QUESTION =
  'Do not answer with a number. Is it true or false? Answer with exactly one word: True or False.';

/** What a configuration says of its readout: how it is asked, words included. */
export function readoutConfig({ temperature, maxOutputTokens, topLogprobs }: ReadoutDecoding): JsonValue {
  return {
    wording: canonicalHash({ system: SYSTEM, question: QUESTION }),
    temperature,
    max_output_tokens: maxOutputTokens,
    top_logprobs: topLogprobs,
  };
}

/**
 * The readouts of a plan: each of its templates once, whatever its replicates, with the question for one word after
 * its wording. None when the plan has no readout.
 */
export function planReadouts(plan: MeasurementPlan): PlannedSample[] {
  const { claim, identity, environment, bank } = plan;
  const { readout, repeat } = plan.options;
  if (readout === undefined) return [];
  const used = new Set(plan.slots);
  return bank.templates
    .filter(({ id }) => used.has(id))
    .map((template) => {
      const user = `${renderTemplate(template, claim)}\n\n${QUESTION}`;
      const sampleKey = canonicalHash({
        readout_version: READOUT_KEY_VERSION,
        environment,
        provider: identity.provider,
        base_url: identity.baseUrl,
        model: identity.model,
        simulated: identity.simulated,
        messages: [
          { role: 'system', content: SYSTEM },
          { role: 'user', content: user },
        ],
        temperature: readout.temperature,
        max_output_tokens: readout.maxOutputTokens,
        top_logprobs: readout.topLogprobs,
        repeat: repeat === 0 ? undefined : repeat,
      });
      return { sampleKey, templateId: template.id, replicate: 0, claim, system: SYSTEM, user };
    });
}
