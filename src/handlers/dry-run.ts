import * as t from 'typanion';
import type { Settings } from '../base/config.js';
import type { Environment } from '../base/environments.js';
import { bankName } from '../rpl/bank-diff.js';
import { largestPlan } from '../rpl/growth.js';
import type { MeasurementPlan } from '../rpl/plan.js';
import { costOfTokens, type Price } from '../rpl/price.js';
import { planReadouts } from '../rpl/readout-plan.js';
import type { Decoding, ModelIdentity } from '../rpl/sample.js';
import { DEFAULT_BANK, loadBank } from './banks.js';
import type { Context } from './context.js';
import { defineHandler } from './handler.js';
import {
  type MeasurementInput,
  makePlanner,
  prepareBudget,
  preparePurse,
  refuseSimulated,
} from './instrument.js';
import { isModelList, refuseTwice } from './instruments.js';
import { sizeFields } from './validators.js';

/** Of a sample, an unusable answer is asked for once more; a readout is not. */
const MOST_CALLS_A_SAMPLE = 2;

const PACE_SETTINGS = [
  'HX_CONCURRENCY',
  'HX_REQUESTS_PER_MINUTE',
  'HX_TOKENS_PER_MINUTE',
  'HX_MAX_WAIT_SECONDS',
] as const;

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
  /** What the invocation may spend, all its models together, in US dollars; null without a limit. */
  readonly max_cost_usd: number | null;
}

/**
 * Plans a measurement and counts, model by model, without a key, a database or any call. What the measurement itself
 * would refuse is refused.
 */
export const dryRun = defineHandler({
  name: 'dry run',
  input: t.isObject({
    ...sizeFields,
    claims: t.cascade(t.isArray(t.isString()), t.hasMinLength(1)),
    models: t.isOptional(isModelList),
    no_cache: t.isOptional(t.isBoolean()),
    lane: t.isEnum(['operational', 'research'] as const),
  }),
  async run({ models, claims, lane, ...sizes }, context): Promise<DryRun[]> {
    const { settings } = context;
    // How fast it would go is no matter here, but a setting that stops the measurement stops this too.
    for (const name of PACE_SETTINGS) settings.number(name);
    const asked = models ?? [undefined];
    const identities = await Promise.all(asked.map((model) => identify(model, settings)));
    refuseTwice(identities);
    const environment = lane === 'research' ? 'local' : settings.environment;
    return Promise.all(identities.map((identity) => forecast(identity, claims, sizes, environment, context)));
  },
});

async function forecast(
  identity: ModelIdentity,
  claims: readonly string[],
  input: MeasurementInput,
  environment: Environment,
  context: Context,
): Promise<DryRun> {
  const { settings } = context;
  refuseSimulated(identity, environment);
  const { findPrice } = await import('../models/prices.js');
  const known = await findPrice(identity, settings);
  const purse = await preparePurse(context);
  await prepareBudget(identity, known?.price ?? null, purse);
  const bank = await loadBank(input.bank ?? DEFAULT_BANK, settings.folder);
  const { readoutDecoding } = await import('../models/resolve.js');
  const readout = input.readout === true ? readoutDecoding(identity.provider) : undefined;
  const plan = makePlanner(input, readout, bank, identity, environment);
  const plans = claims.map((claim) => plan(claim, 0));
  const { samples, mostSamples, readouts, mostReadouts, likely, most } = await count(plans, readout);
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
    max_cost_usd: purse?.limitUsd ?? null,
  };
}

async function count(plans: readonly MeasurementPlan[], readout: Decoding | undefined) {
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
  return sums;
}

/** Who would be asked. Nothing is sent, so no key is needed and no address matters. */
export async function identify(model: string | undefined, settings: Settings): Promise<ModelIdentity> {
  const { parseModelName, requireModelName, resolveModel } = await import('../models/resolve.js');
  const { provider, name } = parseModelName(requireModelName(model, settings));
  const fullName = `${provider}/${name}`;
  // The simulator's names are all known, and it needs no key.
  if (provider === 'simulator') return (await resolveModel(fullName, settings)).identity;
  return { model: fullName, provider, baseUrl: null, simulated: false };
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
