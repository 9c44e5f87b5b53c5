import * as t from 'typanion';
import type { Settings } from '../base/config.js';
import { bankName } from '../rpl/bank-diff.js';
import { largestPlan } from '../rpl/growth.js';
import { costOfTokens, type Price } from '../rpl/price.js';
import { planReadouts } from '../rpl/readout-plan.js';
import type { ModelIdentity } from '../rpl/sample.js';
import { DEFAULT_BANK, loadBank } from './banks.js';
import { defineHandler } from './handler.js';
import { makePlanner } from './instrument.js';
import { measurementFields } from './validators.js';

/** Of a sample, an unusable answer is asked for once more; a readout is not. */
const MOST_CALLS_A_SAMPLE = 2;

/** What is likely, and what cannot be exceeded. */
export interface Range {
  readonly likely: number;
  readonly most: number;
}

/**
 * What a measurement would take if nothing were stored yet. To a wanted width, the first stage is likely and as
 * many templates as bank and --max-calls allow are the most.
 */
export interface DryRun {
  readonly model: string;
  readonly bank: string;
  readonly claims: number;
  readonly samples: number;
  /** One a template with --readout, else 0; part of the calls. */
  readonly readouts: number;
  readonly calls: Range;
  readonly tokens_in: Range;
  readonly tokens_out: Range;
  /** US dollars to six decimals; null when the price is not known. */
  readonly cost_usd: { readonly likely: string; readonly most: string } | null;
  /** The date of the price table; null for the simulator, or without a price. */
  readonly price_date: string | null;
}

/** Plans a measurement and counts, without a key, a database or any call. */
export const dryRun = defineHandler({
  name: 'dry run',
  input: t.isObject({
    claims: t.cascade(t.isArray(t.isString()), t.hasMinLength(1)),
    no_cache: t.isOptional(t.isBoolean()),
    ...measurementFields,
  }),
  async run(input, { settings }): Promise<DryRun> {
    const { findPrice } = await import('../models/prices.js');
    const identity = await identify(input.model, settings);
    const known = await findPrice(identity, settings);
    const bank = await loadBank(input.bank ?? DEFAULT_BANK, settings.folder);
    const { readoutDecoding } = await import('../models/resolve.js');
    const readout = input.readout === true ? readoutDecoding(identity.provider) : undefined;
    const plan = makePlanner(input, readout, bank, identity, settings.environment);
    const plans = input.claims.map((claim) => plan(claim, 0));
    const { likelyTokens, mostTokens } = await import('../models/worst-case.js');
    const sums = {
      samples: 0,
      mostSamples: 0,
      readouts: 0,
      mostReadouts: 0,
      likely: { input: 0, output: 0 },
      most: { input: 0, output: 0 },
    };
    for (const plan of plans) {
      const { samples, options } = plan;
      const largest = largestPlan(plan);
      sums.samples += samples.length;
      sums.mostSamples += largest.samples.length;
      for (const sample of samples) add(sums.likely, likelyTokens(sample, options.decoding), 1);
      for (const sample of largest.samples) {
        add(sums.most, mostTokens(sample, options.decoding), MOST_CALLS_A_SAMPLE);
      }
      if (readout === undefined) continue;
      const [readouts, mostReadouts] = [planReadouts(plan), planReadouts(largest)];
      sums.readouts += readouts.length;
      sums.mostReadouts += mostReadouts.length;
      for (const one of readouts) add(sums.likely, likelyTokens(one, readout), 1);
      for (const one of mostReadouts) add(sums.most, mostTokens(one, readout), 1);
    }
    const { samples, mostSamples, readouts, mostReadouts, likely, most } = sums;
    return {
      model: identity.model,
      bank: bankName(bank),
      claims: plans.length,
      samples,
      readouts,
      calls: { likely: samples + readouts, most: mostSamples * MOST_CALLS_A_SAMPLE + mostReadouts },
      tokens_in: { likely: likely.input, most: most.input },
      tokens_out: { likely: likely.output, most: most.output },
      cost_usd: known === null ? null : { likely: usd(likely, known.price), most: usd(most, known.price) },
      price_date: known === null || identity.simulated ? null : known.date,
    };
  },
});

/** Who would be asked. Nothing is sent, so no key is needed and no address matters. */
async function identify(model: string | undefined, settings: Settings): Promise<ModelIdentity> {
  const { parseModelName, requireModelName } = await import('../models/resolve.js');
  const { provider, name } = parseModelName(requireModelName(model, settings));
  return { model: `${provider}/${name}`, provider, baseUrl: null, simulated: provider === 'simulator' };
}

interface Tokens {
  input: number;
  output: number;
}

function add(sum: Tokens, tokens: Readonly<Tokens>, times: number): void {
  sum.input += tokens.input * times;
  sum.output += tokens.output * times;
}

function usd(tokens: Readonly<Tokens>, price: Price): string {
  return costOfTokens(tokens, price).toFixed(6);
}
