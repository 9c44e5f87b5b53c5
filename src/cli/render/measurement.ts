import type { Estimate } from '../../rpl/estimator.js';
import type { CheckRecord, RunRecord } from '../../rpl/record.js';
import { resolvedModels } from '../../rpl/serving.js';
import { GATES } from '../../rpl/verdict.js';
import { escapeControls } from './escape.js';
import type { Paint } from './style.js';

/** Cells of the bar that stands for probabilities from 0 to 1. */
const BAR_CELLS = 40;

type Interval = Pick<Estimate, 'prob_true_rpl' | 'ci_lo' | 'ci_hi'>;

/** An interval as a bar from 0 to 1: the centre as a block, the interval as a line through it. */
export function renderBar({ prob_true_rpl, ci_lo, ci_hi }: Interval, paint: Paint): string {
  const cell = (probability: number) => Math.min(BAR_CELLS - 1, Math.floor(probability * BAR_CELLS));
  const [centre, low, high] = [cell(prob_true_rpl), cell(ci_lo), cell(ci_hi)];
  const cells = Array.from({ length: BAR_CELLS }, (_, index) => {
    if (index === centre) return paint('bold', '●');
    return index >= low && index <= high ? '━' : paint('dim', '·');
  });
  return `0 ${cells.join('')} 1`;
}

/** The estimate alone, for `hx estimate`. */
export function renderEstimate(estimate: Estimate, paint: Paint): string {
  return [
    `${headline(estimate, paint)}`,
    `   ${renderBar(estimate, paint)}`,
    `   ${stabilityLine(estimate)}, ${estimate.n_templates} templates, imbalance ${number(estimate.imbalance_ratio)}`,
    paint('dim', `   ${estimate.estimator}, bootstrap seed ${estimate.bootstrap_seed}`),
  ].join('\n');
}

/** A whole measurement: verdict, interval, stability, gates, calls, spend and where it was stored. */
export function renderMeasurement(run: RunRecord | CheckRecord, storedIn: string, paint: Paint): string {
  const simulated = run.simulated ? paint('yellow', ' (simulated, not a real model)') : '';
  return [
    `${paint('bold', verdictText(run))}  ${oneLine(run.claim)}`,
    `   ${headline(run, paint)}`,
    `   ${renderBar(run, paint)}`,
    `   ${run.model}${simulated}, bank ${run.bank}, K=${run.k} R=${run.r} T=${run.t}, ${run.estimator}`,
    `   ${stabilityLine(run)}, quality ${run.pqs}/100, gates: ${gates(run, paint)}`,
    `   ${callsLine(run)}`,
    ...readoutLine(run),
    ...bounds(run),
    ...modelChange(run, paint),
    paint('dim', `   ${storedIn}`),
  ].join('\n');
}

/** A measurement on one line, for a sweep or several models; `label` is the claim or the model. */
export function renderMeasurementLine(run: RunRecord, label: string, note: string, paint: Paint): string {
  const verdict = paint('bold', verdictText(run).padEnd(12));
  const failed =
    run.gate_compliance && run.gate_stability && run.gate_width ? '' : paint('red', ' gates FAILED');
  const readout = run.n_readouts === null ? '' : `  readout ${orNone(run.prob_true_logprob)}`;
  return `${verdict}  ${interval(run)}${readout}  ${oneLine(label)}${failed}${note}`;
}

function orNone(probability: number | null): string {
  return probability === null ? 'none' : number(probability);
}

function headline(estimate: Interval, paint: Paint): string {
  const { prob_true_rpl, ci_lo, ci_hi } = estimate;
  return `p = ${paint('bold', number(prob_true_rpl))}  CI95 [${number(ci_lo)}, ${number(ci_hi)}]`;
}

function interval({ prob_true_rpl, ci_lo, ci_hi }: Interval): string {
  return `${number(prob_true_rpl)} [${number(ci_lo)}, ${number(ci_hi)}]`;
}

/** A claim as it may be shown: on one line, and unable to drive the terminal. */
function oneLine(claim: string): string {
  return escapeControls(claim.replace(/\s+/g, ' '));
}

function stabilityLine(
  run: Pick<RunRecord, 'stability_band' | 'stability_score' | 'template_iqr_logit'>,
): string {
  return `stability ${run.stability_band} (${number(run.stability_score)}, IQR ${number(run.template_iqr_logit)} logit)`;
}

function verdictText({ verdict }: RunRecord): string {
  return (
    { likely_true: 'LIKELY TRUE', likely_false: 'LIKELY FALSE', uncertain: 'UNCERTAIN' }[verdict] ?? verdict
  );
}

function gates(run: RunRecord, paint: Paint): string {
  const gate = (name: string, passed: boolean, limit: string) =>
    passed ? paint('green', `${name} ok`) : paint('red', `${name} FAILED (${limit})`);
  return [
    gate('compliance', run.gate_compliance, `${number(run.compliance_rate)} < ${GATES.complianceAtLeast}`),
    gate('stability', run.gate_stability, `${number(run.stability_score)} < ${GATES.stabilityAtLeast}`),
    gate('width', run.gate_width, `${number(run.ci_width)} > ${GATES.ciWidthAtMost}`),
  ].join(', ');
}

function callsLine(run: RunRecord | CheckRecord): string {
  const cached = 'was_cached' in run && run.was_cached;
  const parts = [cached ? 'answered from the cache, no calls made' : `${run.calls_made} calls`];
  if (run.samples_reused > 0) parts.push(`${run.samples_reused} samples from stored answers`);
  parts.push(`${run.n_usable}/${run.n_samples} usable`);
  if (run.n_refused > 0) parts.push(`${run.n_refused} refused`);
  if (run.n_invalid > 0) parts.push(`${run.n_invalid} invalid`);
  if (run.n_failed > 0) parts.push(`${run.n_failed} failed`);
  if (run.tokens_in !== null) parts.push(`${run.tokens_in} + ${run.tokens_out ?? 0} tokens`);
  if (run.cost_usd !== null && !run.simulated) parts.push(`$${run.cost_usd}`);
  if (!cached) parts.push(`${(run.elapsed_ms / 1_000).toFixed(1)} s`);
  return parts.join(', ');
}

/** What the token probabilities say, and how many templates gave any. */
function readoutLine(run: RunRecord): string[] {
  if (run.n_readouts === null) return [];
  const counts = Object.entries(readoutCounts(run)).filter(([status]) => status !== 'valid');
  const others = counts.map(([status, count]) => `${count} ${READOUT_STATUSES[status] ?? status}`);
  const asked = run.n_readouts + counts.reduce((sum, [, count]) => sum + count, 0);
  const templates = `${run.n_readouts}/${asked} templates`;
  const elsewhere =
    run.logprob_mass_other === null
      ? []
      : [`${Math.round(100 * run.logprob_mass_other)} % of the mass elsewhere`];
  const value =
    run.prob_true_logprob === null
      ? 'none from token probabilities'
      : `p = ${number(run.prob_true_logprob)} from token probabilities`;
  return [`   readout  ${value} (${[templates, ...elsewhere, ...others].join(', ')})`];
}

const READOUT_STATUSES: Readonly<Record<string, string>> = {
  low_mass: 'with most of it elsewhere',
  no_logprobs: 'without token probabilities',
  refused: 'refused',
  failed: 'failed',
};

function readoutCounts({ readouts_by_status_json }: RunRecord): Record<string, number> {
  return JSON.parse(readouts_by_status_json ?? '{}') as Record<string, number>;
}

function bounds(run: RunRecord): string[] {
  if (run.prob_true_lower_bound === null || run.prob_true_upper_bound === null) return [];
  const range = `[${number(run.prob_true_lower_bound)}, ${number(run.prob_true_upper_bound)}]`;
  return [`   many refusals: the estimate would lie in ${range} whatever they had answered`];
}

function modelChange({ model_resolved }: RunRecord, paint: Paint): string[] {
  const names = resolvedModels(model_resolved);
  if (names.length < 2) return [];
  return [
    paint(
      'yellow',
      `   the model changed within this run: ${names.join(', ')}; measure again with --no-cache`,
    ),
  ];
}

function number(value: number): string {
  return value.toFixed(3);
}
