import { canonicalHash } from '../base/canonical.js';
import { type Bank, renderTemplate, type Template } from './bank.js';
import { Prng, seedFromHash } from './prng.js';
import type { PlannedSample, SampleContext } from './sample.js';

/** Changes when the meaning of a sample key changes, so that old keys never match. */
const SAMPLE_KEY_VERSION = 1;

export interface SamplerSize {
  /** Paraphrase slots, K. */
  readonly k: number;
  /** Replicates a slot, R. */
  readonly r: number;
  /** Templates wanted, T. */
  readonly t: number;
}

/**
 * Fills K slots with templates: min(K, T, bank size) of them, chosen and ordered by a hash of claim, model and
 * bank, spread so that their counts differ by at most one.
 * @returns K templates in slot order.
 */
export function fillSlots(claim: string, model: string, bank: Bank, size: SamplerSize): Template[] {
  const seed = seedFromHash(canonicalHash({ claim, model, bank: bank.hash }));
  const byId = [...bank.templates].sort((left, right) => (left.id < right.id ? -1 : 1));
  const shuffled = new Prng(seed).shuffle(byId);
  const used = Math.min(size.k, size.t, shuffled.length);
  return Array.from({ length: size.k }, (_, slot) => shuffled[slot % used] as Template);
}

/**
 * The samples of a measurement in the order in which they are asked: replicate by replicate within a slot.
 * A template that fills several slots goes on counting its replicates.
 * @param repeat 0, or the number of an independent repetition whose answers must not be shared with others.
 */
export function planSamples(
  claim: string,
  bank: Bank,
  slots: readonly Template[],
  replicatesPerSlot: number,
  answerSchemaHash: string,
  context: SampleContext,
  repeat: number,
): PlannedSample[] {
  const nextReplicate = new Map<string, number>();
  const samples: PlannedSample[] = [];
  for (const template of slots) {
    const user = renderTemplate(template, claim);
    for (let index = 0; index < replicatesPerSlot; index += 1) {
      const replicate = nextReplicate.get(template.id) ?? 0;
      nextReplicate.set(template.id, replicate + 1);
      const sampleKey = canonicalHash({
        version: SAMPLE_KEY_VERSION,
        environment: context.environment,
        provider: context.identity.provider,
        base_url: context.identity.baseUrl,
        model: context.identity.model,
        simulated: context.identity.simulated,
        messages: [
          { role: 'system', content: bank.system },
          { role: 'user', content: user },
        ],
        answer_schema: answerSchemaHash,
        temperature: context.decoding.temperature,
        max_output_tokens: context.decoding.maxOutputTokens,
        replicate,
        repeat: repeat === 0 ? undefined : repeat,
      });
      samples.push({ sampleKey, templateId: template.id, replicate, claim, system: bank.system, user });
    }
  }
  return samples;
}
