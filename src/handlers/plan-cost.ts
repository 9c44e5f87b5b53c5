import type { Settings } from '../base/config.js';
import type { Environment } from '../base/environments.js';
import type { Bank } from '../rpl/bank.js';
import { costOfTokens, type Price } from '../rpl/price.js';
import { planReadouts } from '../rpl/readout-plan.js';
import type { Decoding, PlannedSample } from '../rpl/sample.js';
import { mean } from '../rpl/statistics.js';
import { identify } from './dry-run.js';
import { makePlanner } from './instrument.js';

/** What one call of a model likely costs, in US dollars: the mean over the wordings of a bank. */
export interface CallCost {
  readonly model: string;
  /** The date of the price table; null for the simulator, or without a price. */
  readonly price_date: string | null;
  /** Null when the price is not known. */
  readonly sampleUsd: number | null;
  /** 0 without a readout. */
  readonly readoutUsd: number;
}

/**
 * Reckons what a call about a claim likely costs; asks nothing.
 * @throws HxError `usage` for an unknown model, or a readout that its provider does not offer.
 */
export async function likelyCallCost(
  question: {
    readonly claim: string;
    readonly model: string;
    readonly bank: Bank;
    readonly hasReadout: boolean;
    readonly environment: Environment;
  },
  settings: Settings,
): Promise<CallCost> {
  const { claim, bank, environment } = question;
  const identity = await identify(question.model, settings);
  const { readoutDecoding } = await import('../models/resolve.js');
  const readout = question.hasReadout ? readoutDecoding(identity.provider) : undefined;
  const { findPrice } = await import('../models/prices.js');
  const known = await findPrice(identity, settings);
  const { model } = identity;
  if (known === null) return { model, price_date: null, sampleUsd: null, readoutUsd: 0 };
  const size = bank.templates.length;
  const plan = makePlanner({ k: size, r: 1, t: size }, readout, bank, identity, environment)(claim, 0);
  const readouts = planReadouts(plan);
  return {
    model,
    price_date: identity.simulated ? null : known.date,
    sampleUsd: await meanUsd(plan.samples, plan.options.decoding, known.price),
    readoutUsd: readout === undefined ? 0 : await meanUsd(readouts, readout, known.price),
  };
}

async function meanUsd(samples: readonly PlannedSample[], decoding: Decoding, price: Price): Promise<number> {
  const { likelyTokens } = await import('../models/worst-case.js');
  return mean(Float64Array.from(samples, (sample) => costOfTokens(likelyTokens(sample, decoding), price)));
}
