import { sha256Hex } from '../../src/base/canonical.js';
import type { LakeRow } from '../../src/lake/files/schema.js';
import { lakeRow } from './rows.js';

/** The same numbers between 0 and 1 for the same seed. */
function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

const MODELS = ['openai/a', 'openai/b', 'other/c', 'simulator/steady'] as const;
const CLAIMS = [
  'The tides follow the moon.',
  '東京 👩‍🚀',
  `It's "quoted", 100 %`,
  'Two\nlines',
  'E',
] as const;
const BANKS = [
  ['default@1', 'one'],
  ['default@1', 'another of that name'],
  ['wide@2', 'two'],
] as const;
const FIRST_DAY_MS = Date.UTC(2026, 8, 1);
const SPAN_MS = 40 * 86_400_000;

const probability = (logit: number) => 1 / (1 + Math.exp(-logit));

/** Runs of every sort: cached, refused, without a price, with readouts, with intervals that end at 0 or 1. */
export function randomRuns(count: number, seed: number): LakeRow[] {
  const next = numbersFrom(seed);
  const upTo = (limit: number) => Math.floor(next() * limit);
  const oneOf = <T>(values: readonly T[]): T => values[upTo(values.length)] as T;
  const measured: LakeRow[] = [];
  const rows: LakeRow[] = [];
  for (let number = 0; number < count; number += 1) {
    const env = oneOf(['local', 'development', 'production', 'production']);
    const lane = oneOf(['research', 'operational', 'operational']);
    const created_at = new Date(FIRST_DAY_MS + upTo(SPAN_MS));
    const [bank, hash] = oneOf(BANKS);
    const model = oneOf(MODELS);
    const logit = (next() - 0.5) * (next() < 0.05 ? 27 : 6);
    const half = 0.1 + next();
    const ci_lo = next() < 0.05 ? 0 : probability(logit - half);
    const ci_hi = next() < 0.05 ? 1 : probability(logit + 1.3 * half);
    const iqr = next() * 0.8;
    const [refused, invalid, failed] = [upTo(3), upTo(3), upTo(2)];
    const readout = next() < 0.3;
    const run = lakeRow(number, {
      ...{ claim: oneOf(CLAIMS), env, lane, created_at, model, simulated: model.startsWith('simulator') },
      ...{ bank, bank_hash: sha256Hex(hash), logit, prob_true_rpl: probability(logit) },
      ...{ ci_lo, ci_hi, ci_width: ci_hi - ci_lo, template_iqr_logit: iqr, stability_score: next() },
      ...{ n_refused: refused, n_invalid: invalid, n_failed: failed },
      ...{ gate_compliance: next() < 0.8, gate_stability: next() < 0.7, gate_width: next() < 0.6 },
      ...{ calls_made: next() < 0.1 ? 0 : 16 + invalid, samples_reused: next() < 0.2 ? 4 : 0 },
      ...{ tokens_in: next() < 0.2 ? null : upTo(3_000), tokens_out: next() < 0.2 ? null : upTo(900) },
      ...{ cost_usd: next() < 0.3 ? null : (next() / 50).toFixed(6), elapsed_ms: next() * 9_000 },
      ...{ model_resolved: next() < 0.2 ? null : oneOf(['a-08', 'a-10']), model_changed: next() < 0.2 },
      ...{ n_readouts: readout ? 8 : null, prob_true_logprob: readout ? next() : null },
      logprob_mass_other: readout ? next() / 2 : null,
      counts_by_template_json: JSON.stringify({
        a: { usable: 2, refused, other: 0 },
        b: { usable: 2, other: invalid },
      }),
    });
    const source = lane === 'operational' && next() < 0.4 ? oneOf(measured) : undefined;
    if (source === undefined) rows.push(run);
    else {
      const { run_id } = run;
      const own = { run_id, created_at, env, lane, was_cached: true, calls_made: 0 };
      const spent = { cost_usd: null, tokens_in: null, tokens_out: null };
      rows.push({ ...source, ...own, ...spent, cached_from: source.run_id });
    }
    if (source === undefined && lane === 'operational') measured.push(run);
  }
  return rows;
}
