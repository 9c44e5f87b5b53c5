import { HxError } from '../base/errors.js';
import type { Bank } from './bank.js';
import { type EstimatorSample, MIN_TEMPLATES } from './estimator.js';
import type { MeasurementPlan } from './plan.js';
import { fillSlots, planSamples } from './sampler.js';
import { FIRST_STAGE_TEMPLATES, templatesForWidth } from './sequential.js';

/** A wanted width instead of a given size. */
export interface Precision {
  /** Probability. */
  readonly width: number;
  /** Samples to ask for at most, T x R; null for as many as the bank allows. Retries come on top. */
  readonly maxCalls: number | null;
}

/** How a plan grows to a wanted width. */
export interface Growth extends Precision {
  /** Templates of the first stage. */
  readonly firstTemplates: number;
  /** Templates that the bank and the calls allow. */
  readonly mostTemplates: number;
  /** Templates that Stein's rule calls for; null while the first stage is not answered. */
  readonly neededTemplates: number | null;
}

/** What kept a measurement from the number of templates that its width calls for. */
export type GrowthLimit = 'bank' | 'max_calls';

/** @throws HxError `usage` when the calls allowed are too few for a first stage. */
export function beginGrowth({ width, maxCalls }: Precision, bank: Bank, replicates: number): Growth {
  const inBank = bank.templates.length;
  const firstTemplates = Math.min(FIRST_STAGE_TEMPLATES, inBank);
  const allowed = maxCalls === null ? inBank : Math.floor(maxCalls / replicates);
  if (allowed < firstTemplates) {
    const calls = firstTemplates * replicates;
    throw new HxError('usage', `${maxCalls} calls are too few to find out how many a width needs.`, {
      hint: `The first stage alone takes ${calls}: raise --max-calls, or lower -R (now ${replicates}).`,
    });
  }
  const mostTemplates = Math.min(allowed, inBank);
  return { width, maxCalls, firstTemplates, mostTemplates, neededTemplates: null };
}

/**
 * The whole plan of a measurement to a wanted width. It begins with the first stage's samples, unchanged, and
 * the same answers to them always give the same plan.
 * @param first usable samples of the first stage.
 * @returns the plan as it is when too few answers came to say more.
 */
export function growPlan(plan: MeasurementPlan, first: readonly EstimatorSample[]): MeasurementPlan {
  const { growth } = plan;
  if (growth === null || new Set(first.map(({ template }) => template)).size < MIN_TEMPLATES) return plan;
  const needed = Math.max(growth.firstTemplates, templatesForWidth(first, growth.width));
  const grown = withTemplates(plan, Math.min(needed, growth.mostTemplates));
  return { ...grown, growth: { ...growth, neededTemplates: needed } };
}

/** The plan at its largest, whatever the first stage answers. */
export function largestPlan(plan: MeasurementPlan): MeasurementPlan {
  return plan.growth === null ? plan : withTemplates(plan, plan.growth.mostTemplates);
}

/** The same plan over more templates: the first ones stay, and so do their samples. */
function withTemplates(plan: MeasurementPlan, templates: number): MeasurementPlan {
  const { claim, identity, bank, environment } = plan;
  const { r, decoding, repeat } = plan.options;
  const slots = fillSlots(claim, identity.model, bank, { k: templates, r, t: templates });
  const context = { environment, identity, decoding };
  return {
    ...plan,
    templates,
    slots: slots.map(({ id }) => id),
    samples: planSamples(claim, bank, slots, r, plan.answerSchemaHash, context, repeat),
  };
}

/** What the plan was held back by; null when it has all the templates that its width calls for. */
export function growthLimit({ growth, bank }: MeasurementPlan): GrowthLimit | null {
  if (growth?.neededTemplates == null || growth.neededTemplates <= growth.mostTemplates) return null;
  return growth.mostTemplates < bank.templates.length ? 'max_calls' : 'bank';
}

/** The templates whose spread settled the plan's size; undefined when a limit settled it instead. */
export function firstStageOf(plan: MeasurementPlan): readonly string[] | undefined {
  if (plan.growth === null || growthLimit(plan) !== null) return undefined;
  return plan.slots.slice(0, plan.growth.firstTemplates);
}

/** The same of a stored run, by its sampler_json; undefined as well for a run of a given size. */
export function storedFirstStage(samplerJson: string): readonly string[] | undefined {
  const { slots, growth } = JSON.parse(samplerJson) as StoredSampler;
  return growth?.limited_by === null ? slots.slice(0, growth.first_templates) : undefined;
}

interface StoredSampler {
  readonly slots: readonly string[];
  readonly growth?: { readonly first_templates: number; readonly limited_by: GrowthLimit | null };
}
