import type { WidthPlan } from '../../handlers/plan-width.js';
import type { Explanation } from '../../rpl/explain.js';
import type { Allocation, VarianceSplit } from '../../rpl/variance.js';
import { escapeControls } from './escape.js';
import type { Paint } from './style.js';

const BAR_CELLS = 30;

/** What an explanation calls things: a run was asked by options, samples from elsewhere were not. */
const WORDS = {
  run: {
    oneAnswer: 'one answer a template cannot tell wording from chance; use -R 2',
    noAllocation: 'more templates than the bank has',
  },
  samples: {
    oneAnswer: 'one answer a template cannot tell wording from chance; that takes two',
    noAllocation: 'more templates than any bank that ships with hx has',
  },
} as const;

/** What lies behind the estimate of a run, or of samples from elsewhere, for a person. */
export function renderExplanation(explanation: Explanation, of: keyof typeof WORDS, paint: Paint): string {
  const { estimates, templates, variance, costs, answer_grid_step: step } = explanation;
  const width = Math.max(...templates.map(({ template }) => escapeControls(template).length));
  return [
    paint('bold', '   the same answers under every estimator'),
    ...estimates.map(({ estimator, prob_true_rpl, ci_lo, ci_hi, ci_width }) => {
      const interval = `[${number(ci_lo)}, ${number(ci_hi)}]`;
      return `     ${estimator.padEnd(6)} p = ${number(prob_true_rpl)}  CI95 ${interval}  width ${number(ci_width)}`;
    }),
    paint('bold', `   template means${step === 0 ? '' : `, answers in steps of ${percent(step)}`}`),
    ...templates.map(({ template, answers, prob_true }) => {
      const name = escapeControls(template).padEnd(width);
      return `     ${name}  ${number(prob_true)}  ${dot(prob_true, paint)}  ${answers} ${answers === 1 ? 'answer' : 'answers'}`;
    }),
    paint('bold', '   where the scatter comes from, in logits'),
    ...(variance === null ? [`     ${WORDS[of].oneAnswer}`] : split(variance)),
    ...(costs.length === 0 ? [] : [paint('bold', '   fewest calls for a width')]),
    ...costs.map(
      ({ width: wanted, allocation }) =>
        `     ${wanted.toFixed(2)}  ${allocation === null ? WORDS[of].noAllocation : allocationText(allocation)}`,
    ),
    ...(explanation.readouts.length === 0 ? [] : readoutLines(explanation.readouts, width, paint)),
  ].join('\n');
}

function readoutLines(readouts: Explanation['readouts'], width: number, paint: Paint): string[] {
  return [
    paint('bold', '   readout by token probabilities, and the mass on neither word'),
    ...readouts.map(({ template, status, prob_true, mass_other }) => {
      const name = escapeControls(template).padEnd(width);
      const elsewhere = mass_other === null ? '' : `  ${percent(mass_other)}`;
      return prob_true === null
        ? `     ${name}  ${status}${elsewhere}`
        : `     ${name}  ${number(prob_true)}  ${dot(prob_true, paint)}${elsewhere}`;
    }),
  ];
}

/** What a wanted width would take, for a person. */
export function renderWidthPlan(plan: WidthPlan, paint: Paint): string {
  const { as_is, cheapest, two_stage: stages } = plan;
  // What costs nothing needs no amounts.
  const cost = plan.price_date === null ? null : plan.cost_usd;
  const source =
    plan.spread_source === 'given'
      ? 'as given'
      : 'an assumption; hx check --explain measures them, --tau and --sigma give them';
  return [
    `${paint('bold', 'PLAN')}  nothing was sent: an interval of width ${plan.width}, bank ${plan.bank}`,
    `   tau ${plan.tau_logit}, sigma ${plan.sigma_logit} logit: ${source}`,
    `   as it stands   ${as_is.calls} calls (T=${as_is.t}, R=${as_is.r}): width ${number(as_is.expected_width)}${dollars(cost?.as_is)}`,
    `   fewest calls   ${cheapest === null ? WORDS.run.noAllocation : allocationText(cheapest)}${dollars(cost?.cheapest)}`,
    `   with --width   ${stages.first_calls} calls first, then about ${stages.expected_calls} in all${dollars(cost?.expected)}, at most ${stages.most_calls}${dollars(cost?.most)}` +
      (stages.is_enough ? '' : paint('yellow', ', which is not expected to be enough')),
    ...(plan.readout_calls === null ? [] : [readoutCalls(plan.readout_calls)]),
    ...(plan.model === null ? [] : [`   ${priceText(plan.model, plan)}`]),
    paint('dim', '   at a belief of 0.5, where an interval is widest'),
  ].join('\n');
}

function dollars(usd: string | null | undefined): string {
  return usd == null ? '' : ` ($${Number(usd).toFixed(4)})`;
}

function priceText(model: string, { cost_usd, price_date }: WidthPlan): string {
  if (cost_usd === null) return `no price of ${model} is known; HX_PRICES can name one`;
  if (price_date === null) return 'no cost, as no model is asked';
  return `likely cost without retries, readouts included, by the prices of ${model} of ${price_date}`;
}

function readoutCalls({ as_is, cheapest, expected, most }: NonNullable<WidthPlan['readout_calls']>): string {
  const fewest = cheapest === null ? '' : `, ${cheapest} with the fewest calls`;
  return `   --readout adds ${as_is} calls as it stands${fewest}, about ${expected} (at most ${most}) with --width`;
}

function split(variance: VarianceSplit): string[] {
  const line = (name: string, meaning: string, squared: number, share: number) =>
    `     ${name.padEnd(5)} ${number(Math.sqrt(squared))}  ${percent(share).padStart(5)}  ${meaning}`;
  return [
    line('tau', 'between templates (wording)', variance.tau2_logit, variance.template_share),
    line('sigma', 'between replicates (chance)', variance.sigma2_logit, variance.replicate_share),
    ...(variance.tau2_truncated
      ? ['     tau^2 came out negative and counts as 0: the templates agree better than their replicates']
      : []),
  ];
}

function allocationText({ calls, t, r, expected_width }: Allocation): string {
  return `${calls} calls (T=${t}, R=${r}): width ${number(expected_width)}`;
}

function dot(probability: number, paint: Paint): string {
  const place = Math.min(BAR_CELLS - 1, Math.floor(probability * BAR_CELLS));
  return `${paint('dim', '·'.repeat(place))}${paint('bold', '●')}${paint('dim', '·'.repeat(BAR_CELLS - 1 - place))}`;
}

function number(value: number): string {
  return value.toFixed(3);
}

function percent(share: number): string {
  return `${Math.round(1_000 * share) / 10} %`;
}
