import type { Settings } from '../base/config.js';
import type { Environment } from '../base/environments.js';
import { HxError } from '../base/errors.js';
import type { MinuteLimits } from '../models/account.js';
import type { Budget, Purse } from '../models/budget.js';
import type { Model } from '../models/model.js';
import type { Pacing, PacingOptions } from '../models/pacing.js';
import { ANSWER_SCHEMA } from '../rpl/answer.js';
import type { Bank } from '../rpl/bank.js';
import { normalizeClaim } from '../rpl/claim.js';
import type { Estimator } from '../rpl/estimator.js';
import type { Precision } from '../rpl/growth.js';
import { DEFAULT_OPTIONS, type MeasurementPlan, planMeasurement } from '../rpl/plan.js';
import type { Price } from '../rpl/price.js';
import type { ReadoutDecoding } from '../rpl/readout.js';
import type { ModelIdentity } from '../rpl/sample.js';
import { DEFAULT_BANK, isBankPath, loadBank } from './banks.js';
import type { Context } from './context.js';
import { refuseIdleResampling, refuseUnreachableTemplates } from './contradictions.js';

/** Model calls in flight at once when nothing else is said. */
export const DEFAULT_CONCURRENCY = 16;

/** How a caller sizes a measurement; the validated form of `measurementFields`. */
export interface MeasurementInput {
  readonly model?: string | undefined;
  readonly bank?: string | undefined;
  readonly k?: number | undefined;
  readonly r?: number | undefined;
  readonly t?: number | undefined;
  readonly b?: number | undefined;
  readonly seed?: string | undefined;
  readonly estimator?: Estimator | undefined;
  /** Wanted width of the interval, in probability; settles K and T. */
  readonly width?: number | undefined;
  /** Samples to ask for at most on the way to the width. */
  readonly max_calls?: number | undefined;
  readonly concurrency?: number | undefined;
  /** Whether each template is asked for its token probabilities as well. */
  readonly readout?: boolean | undefined;
}

/** Plans the measurement of one claim; `repeat` is 0, or the number of an independent repetition. */
export type Planner = (claim: string, repeat: number) => MeasurementPlan;

/** What a measurement needs besides a claim, ready to be used for many claims. */
export interface Instrument {
  readonly model: Model;
  /** The pace of the account, shared by all claims of the invocation. */
  readonly pacing: Pacing;
  /** What the model costs; null when it is not known. */
  readonly price: Price | null;
  /** What the invocation may cost; undefined without a limit. */
  readonly budget: Budget | undefined;
  readonly bank: Bank;
  /** Whether the bank is a file of the user's and not one that ships with hx. */
  readonly isOwnBank: boolean;
  readonly plan: Planner;
}

/** What the invocation may spend, all its models together; undefined without a limit. */
export async function preparePurse({ settings }: Context): Promise<Purse | undefined> {
  const limitUsd = settings.number('HX_MAX_COST_USD');
  if (limitUsd === undefined) return undefined;
  const { Purse } = await import('../models/budget.js');
  return new Purse(limitUsd);
}

/**
 * Resolves model, bank, sizes and limits once.
 * @param purse what the invocation may spend, from `preparePurse`.
 * @throws HxError `usage` or `configuration` for a model, bank or setting that cannot be, or a readout that the
 *   model's provider does not offer; `refused` for a simulated model in production.
 */
export async function prepareInstrument(
  input: MeasurementInput,
  environment: Environment,
  { settings, emit, accounts }: Context,
  purse: Purse | undefined,
): Promise<Instrument> {
  const { parseModelName, readoutDecoding, resolveModel, requireModelName } = await import(
    '../models/resolve.js'
  );
  const name = requireModelName(input.model, settings);
  const readout = input.readout === true ? readoutDecoding(parseModelName(name).provider) : undefined;
  const model = await resolveModel(name, settings);
  refuseSimulated(model.identity, environment);
  const bankName = input.bank ?? DEFAULT_BANK;
  const bank = await loadBank(bankName, settings.folder);
  const { findPrice } = await import('../models/prices.js');
  const price = (await findPrice(model.identity, settings))?.price ?? null;
  return {
    model,
    pacing: await preparePacing(input, settings, {
      account: accounts.of(model.identity, minuteLimits(settings)),
      onWait: (message) => emit({ type: 'note', message: `${model.identity.model}: ${message}` }),
    }),
    price,
    budget: await prepareBudget(model.identity, price, purse),
    bank,
    isOwnBank: isBankPath(bankName),
    plan: makePlanner(input, readout, bank, model.identity, environment),
  };
}

/** @throws HxError `refused` for a simulated model in production. */
export function refuseSimulated({ model, simulated }: ModelIdentity, environment: Environment): void {
  if (!simulated || environment !== 'production') return;
  throw new HxError('refused', `${model} is simulated, and production holds real checks only.`, {
    hint: 'Use --env local, or name a real model.',
  });
}

async function preparePacing(
  input: MeasurementInput,
  settings: Settings,
  more: Pick<PacingOptions, 'account' | 'onWait'>,
): Promise<Pacing> {
  const { Pacing } = await import('../models/pacing.js');
  const maxWaitSeconds = settings.number('HX_MAX_WAIT_SECONDS');
  return new Pacing({
    concurrency: input.concurrency ?? settings.number('HX_CONCURRENCY') ?? DEFAULT_CONCURRENCY,
    ...(maxWaitSeconds === undefined ? {} : { maxWaitMs: maxWaitSeconds * 1_000 }),
    ...more,
  });
}

function minuteLimits(settings: Settings): MinuteLimits {
  return {
    requestsPerMinute: settings.number('HX_REQUESTS_PER_MINUTE'),
    tokensPerMinute: settings.number('HX_TOKENS_PER_MINUTE'),
  };
}

/** A limit needs a price: without one it would stop nothing. */
export async function prepareBudget(
  { model }: ModelIdentity,
  price: Price | null,
  purse: Purse | undefined,
): Promise<Budget | undefined> {
  if (purse === undefined) return undefined;
  if (price === null) {
    throw new HxError(
      'usage',
      `The cost is limited to $${purse.limitUsd}, but the price of ${model} is not known.`,
      {
        hint: `Put it into a YAML file that HX_PRICES names (form: data/prices), or leave out --max-cost.`,
      },
    );
  }
  const { Budget } = await import('../models/budget.js');
  return new Budget(purse, price);
}

/**
 * Settles sizes once, for a model that need not be reachable.
 * @param readout how the model is asked for readouts; undefined for none.
 * @throws HxError `usage` for sizes that contradict one another.
 */
export function makePlanner(
  input: MeasurementInput,
  readout: ReadoutDecoding | undefined,
  bank: Bank,
  identity: ModelIdentity,
  environment: Environment,
): Planner {
  const precision = precisionOf(input);
  refuseUnreachableTemplates(input, bank);
  const student = input.estimator === 't' ? 'The estimator t' : undefined;
  refuseIdleResampling(input, precision === undefined ? student : 'A wanted width');
  const chosen = {
    precision,
    k: input.k ?? DEFAULT_OPTIONS.k,
    r: input.r ?? DEFAULT_OPTIONS.r,
    t: input.t ?? DEFAULT_OPTIONS.t,
    b: input.b ?? DEFAULT_OPTIONS.b,
    estimator: input.estimator ?? DEFAULT_OPTIONS.estimator,
    decoding: DEFAULT_OPTIONS.decoding,
    seed: input.seed === undefined ? undefined : BigInt(input.seed),
    readout,
  };
  return (claim, repeat) =>
    planMeasurement({
      environment,
      claim: normalizeClaim(claim),
      identity,
      bank,
      answerSchema: ANSWER_SCHEMA,
      options: { ...chosen, repeat },
    });
}

/** @throws HxError `usage` when a wanted width meets what it settles itself. */
function precisionOf({
  width,
  max_calls: maxCalls,
  k,
  t,
  estimator,
}: MeasurementInput): Precision | undefined {
  if (width === undefined) {
    if (maxCalls === undefined) return undefined;
    throw new HxError('usage', 'max_calls limits the way to a width, and none is given.', {
      hint: 'Add --width 0.15, or choose the number of calls with -K and -R.',
    });
  }
  const settled = Object.entries({ k, t, estimator }).filter(([, value]) => value !== undefined);
  if (settled.length > 0) {
    const names = settled.map(([name]) => name).join(', ');
    throw new HxError('usage', `A wanted width settles ${names} itself.`, {
      hint: 'Leave out -K, -T and --estimator, or --width.',
    });
  }
  return { width, maxCalls: maxCalls ?? null };
}
