import * as t from 'typanion';
import type { Bank } from '../rpl/bank.js';
import { bankName } from '../rpl/bank-diff.js';
import { beginGrowth } from '../rpl/growth.js';
import { SMALL_SAMPLE_LEVEL, studentFactor } from '../rpl/interval.js';
import { SIZE } from '../rpl/plan.js';
import { halfWidthLogit, WIDTH } from '../rpl/sequential.js';
import { type Allocation, cheapestAllocation, expectedWidth, type Variances } from '../rpl/variance.js';
import { DEFAULT_BANK, loadBank } from './banks.js';
import { refuseUnreachableTemplates } from './contradictions.js';
import { defineHandler } from './handler.js';
import { likelyCallCost } from './plan-cost.js';
import { isWholeNumber } from './validators.js';

/** Spreads in logits where none are given: wording moves a belief more than chance does. */
export const ASSUMED_SPREAD = { tau: 0.4, sigma: 0.2 } as const;

/** A logit is worth most probability at 1/2, so that elsewhere an interval is narrower than planned. */
const ASSUMED_CENTRE_LOGIT = 0;

/** What a wanted width would take, by assumption and without any call. */
export interface WidthPlan {
  readonly width: number;
  readonly bank: string;
  readonly tau_logit: number;
  readonly sigma_logit: number;
  /** Where tau and sigma come from. */
  readonly spread_source: 'given' | 'assumed';
  /** What -K, -R and -T as they stand would give. */
  readonly as_is: Allocation;
  /** The fewest calls that are expected to do; null when the bank has too few templates. */
  readonly cheapest: Allocation | null;
  /** What --width itself would do: a first stage, then as many templates as its answers call for. */
  readonly two_stage: {
    readonly first_calls: number;
    readonly expected_calls: number;
    readonly most_calls: number;
    /** Whether bank and --max-calls are expected to allow what the width calls for. */
    readonly is_enough: boolean;
  };
  /** What a readout adds to each, one call a template; null without one. */
  readonly readout_calls: {
    readonly as_is: number;
    readonly cheapest: number | null;
    readonly expected: number;
    readonly most: number;
  } | null;
  /** The model that would be asked; null when none was named. */
  readonly model: string | null;
  /** What each likely costs, readouts included, US dollars to six decimals; null without a model or its price. */
  readonly cost_usd: {
    readonly as_is: string;
    readonly cheapest: string | null;
    readonly expected: string;
    readonly most: string;
  } | null;
  /** The date of the price table; null for the simulator, or without a price. */
  readonly price_date: string | null;
}

const isSpread = t.cascade(t.isNumber(), [t.isInInclusiveRange(0, 10)]);

export const planWidth = defineHandler({
  name: 'check',
  input: t.isObject({
    claim: t.isString(),
    model: t.isOptional(t.isString()),
    width: t.cascade(t.isNumber(), [t.isInInclusiveRange(WIDTH.minimum, WIDTH.maximum)]),
    bank: t.isOptional(t.isString()),
    k: t.isOptional(isWholeNumber(SIZE.k)),
    r: t.isOptional(isWholeNumber(SIZE.r)),
    t: t.isOptional(isWholeNumber(SIZE.t)),
    max_calls: t.isOptional(isWholeNumber(SIZE.calls)),
    tau: t.isOptional(isSpread),
    sigma: t.isOptional(isSpread),
    readout: t.isOptional(t.isBoolean()),
  }),
  async run(input, { settings }): Promise<WidthPlan> {
    const bank = await loadBank(input.bank ?? DEFAULT_BANK, settings.folder);
    refuseUnreachableTemplates(input, bank);
    const tau = input.tau ?? ASSUMED_SPREAD.tau;
    const sigma = input.sigma ?? ASSUMED_SPREAD.sigma;
    const spread: Variances = { tau2_logit: tau ** 2, sigma2_logit: sigma ** 2 };
    const r = input.r ?? SIZE.r.default;
    const templates = Math.min(input.k ?? SIZE.k.default, input.t ?? SIZE.t.default, bank.templates.length);
    const limits = { maxTemplates: bank.templates.length, maxReplicates: SIZE.r.maximum };
    const cheapest = cheapestAllocation(spread, ASSUMED_CENTRE_LOGIT, input.width, limits) ?? null;
    const stages = twoStage(spread, bank, r, input.width, input.max_calls ?? null);
    const asIsCalls = (input.k ?? SIZE.k.default) * r;
    const readoutCalls =
      input.readout === true
        ? {
            as_is: templates,
            cheapest: cheapest?.t ?? null,
            expected: stages.expected_calls / r,
            most: stages.most_calls / r,
          }
        : null;
    const { claim, model } = input;
    const question = { claim, bank, hasReadout: input.readout === true, environment: settings.environment };
    const cost = model === undefined ? null : await likelyCallCost({ ...question, model }, settings);
    const usd = (calls: number, readouts: number | null | undefined) =>
      ((cost?.sampleUsd ?? 0) * calls + (cost?.readoutUsd ?? 0) * (readouts ?? 0)).toFixed(6);
    return {
      width: input.width,
      bank: bankName(bank),
      tau_logit: tau,
      sigma_logit: sigma,
      spread_source: input.tau === undefined && input.sigma === undefined ? 'assumed' : 'given',
      as_is: {
        t: templates,
        r,
        calls: asIsCalls,
        expected_width: expectedWidth(spread, ASSUMED_CENTRE_LOGIT, templates, r),
      },
      cheapest,
      two_stage: stages,
      readout_calls: readoutCalls,
      model: cost?.model ?? null,
      cost_usd:
        cost === null || cost.sampleUsd === null
          ? null
          : {
              as_is: usd(asIsCalls, readoutCalls?.as_is),
              cheapest: cheapest === null ? null : usd(cheapest.calls, readoutCalls?.cheapest),
              expected: usd(stages.expected_calls, readoutCalls?.expected),
              most: usd(stages.most_calls, readoutCalls?.most),
            },
      price_date: cost?.price_date ?? null,
    };
  },
});

/** Stein's rule with the spread that is assumed in the place of the first stage's. */
function twoStage(spread: Variances, bank: Bank, r: number, width: number, maxCalls: number | null) {
  const { firstTemplates, mostTemplates } = beginGrowth({ width, maxCalls }, bank, r);
  const deviation = Math.sqrt(spread.tau2_logit + spread.sigma2_logit / r);
  const reach = studentFactor(firstTemplates, SMALL_SAMPLE_LEVEL) * deviation;
  const needed = Math.ceil((reach / halfWidthLogit(ASSUMED_CENTRE_LOGIT, width)) ** 2);
  const templates = Math.min(Math.max(needed, firstTemplates), mostTemplates);
  return {
    first_calls: firstTemplates * r,
    expected_calls: templates * r,
    most_calls: mostTemplates * r,
    is_enough: needed <= mostTemplates,
  };
}
