import type { DryRun, Range } from '../../handlers/dry-run.js';
import type { Paint } from './style.js';

/** What a measurement would take, for a person. */
export function renderDryRun(run: DryRun, paint: Paint): string {
  const { claims, samples, readouts } = run;
  const extra = readouts === 0 ? '' : `, ${count(readouts)} readouts`;
  return [
    `${paint('bold', 'DRY RUN')}  nothing was sent: ${run.model}, bank ${run.bank}`,
    `   ${count(claims)} ${claims === 1 ? 'claim' : 'claims'}, ${count(samples)} samples${extra}, ${range(run.calls)} calls`,
    `   tokens: ${range(run.tokens_in)} in, ${range(run.tokens_out)} out`,
    `   ${costLine(run)}`,
  ].join('\n');
}

/** What holds for all models together: what is stored already, and the limit. */
export function renderLimit(runs: readonly DryRun[], paint: Paint): string {
  const limit = runs[0]?.max_cost_usd ?? null;
  const sum = (pick: 'likely' | 'most') =>
    runs.reduce((total, { cost_usd }) => total + Number(cost_usd?.[pick] ?? 0), 0);
  const less = 'Answers that are stored already make it less.';
  if (limit === null) return paint('dim', `   ${less} --max-cost USD sets a limit.`);
  const verdict =
    sum('most') <= limit
      ? 'is enough whatever happens'
      : sum('likely') <= limit
        ? 'is likely to be enough'
        : 'will likely stop it before its end';
  return paint('dim', `   ${less} A limit of $${limit} ${verdict}.`);
}

function range({ likely, most }: Range): string {
  return `about ${count(likely)} (at most ${count(most)})`;
}

function costLine({ model, cost_usd: cost, price_date: date }: DryRun): string {
  if (cost === null) return `cost: not known, as no price of ${model} is; HX_PRICES can name one`;
  if (date === null) return 'cost: nothing, as no model is asked';
  const amount = (text: string) => `$${Number(text).toFixed(4)}`;
  return `cost: about ${amount(cost.likely)} (at most ${amount(cost.most)}), by prices of ${date}`;
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
