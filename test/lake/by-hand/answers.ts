import type { LakeRow } from '../../../src/lake/files/schema.js';
import { type Belief, beliefs, countOf, difference, envOf, measuredOf, named, subject } from './beliefs.js';
import {
  dayOf,
  grouped,
  logitOf,
  mean,
  median,
  mondayOf,
  probability,
  quantile,
  sum,
  total,
} from './figures.js';

/** What each ready query answers, worked out once more without SQL from the runs themselves. */
export type Answer = Record<string, unknown>[];

/** By the name of the query, with its default parameters but those given here. */
export const BY_HAND: Readonly<Record<string, (rows: readonly LakeRow[]) => Answer>> = {
  cache_hit_rate(rows) {
    const users = rows.filter(({ lane }) => lane === 'operational');
    const priceOf = ({ env, cached_from }: LakeRow) =>
      measuredOf(users).find((run) => run.env === env && run.run_id === cached_from)?.cost_usd ?? null;
    return grouped(users, (row) => [dayOf(row.created_at), row.env, row.simulated]).map((checks) => {
      const prices = checks.filter(({ was_cached }) => was_cached).map(priceOf);
      const [{ created_at, env, simulated }] = checks;
      return {
        ...{ day: dayOf(created_at), env, simulated, checks: checks.length, from_cache: prices.length },
        hit_rate: prices.length / checks.length,
        saved_usd: sum(prices) ?? 0,
        hits_without_price: prices.filter((price) => price === null).length,
      };
    });
  },
  claim_history: (rows) =>
    measuredOf(rows)
      .filter(({ claim }) => /TIDES/i.test(claim))
      .map(({ created_at, ci_lo, ci_hi, ...run }) => ({
        ...{ created_at: created_at.toISOString(), ...named(run as LakeRow), env: run.env, lane: run.lane },
        ...{ prob_true: run.prob_true_rpl, ci_lo, ci_hi, verdict: run.verdict },
        stability_band: run.stability_band,
        gates_ok: run.gate_compliance && run.gate_stability && run.gate_width,
        run_id: run.run_id,
      })),
  coverage_by_env: (rows) =>
    grouped(measuredOf(rows), (row) => [row.claim_hash, row.model, row.simulated]).map((runs) => {
      const [{ claim, model, simulated }] = runs;
      const counts = ['local', 'development', 'production'].map((name) => ({
        name,
        runs: countOf(runs, ({ env }) => env === name),
      }));
      return {
        ...{ claim, model, simulated },
        ...Object.fromEntries(counts.map(({ name, runs: count }) => [`runs_${name}`, count])),
        last_measured: dayOf(new Date(Math.max(...runs.map(({ created_at }) => created_at.getTime())))),
        missing_in: counts.flatMap((one) => (one.runs === 0 ? [one.name] : [])).join(', '),
      };
    }),
  daily_volume: (rows) =>
    grouped(rows, (row) => [dayOf(row.created_at), row.env, row.lane, row.simulated]).map((runs) => {
      const [{ created_at, env, lane, simulated }] = runs;
      const times = measuredOf(runs).map(({ elapsed_ms }) => elapsed_ms);
      return {
        ...{ day: dayOf(created_at), env, lane, simulated, runs: runs.length },
        from_cache: countOf(runs, ({ was_cached }) => was_cached),
        claims: new Set(runs.map(({ claim_hash }) => claim_hash)).size,
        calls: total(runs.map(({ calls_made }) => calls_made)),
        median_ms: times.length === 0 ? null : Math.round(median(times)),
      };
    }),
  drift_by_week(rows) {
    const weekOf = ({ run }: Belief) => mondayOf(run.created_at);
    const weeks = beliefs(measuredOf(rows), ({ env, created_at }) => [env, mondayOf(created_at)]);
    return grouped(weeks, ({ run }) => [subject(run), run.env]).flatMap((history) =>
      history
        .sort((a, b) => weekOf(a).localeCompare(weekOf(b)))
        .map((week, index) => {
          const before = history[index - 1];
          const change = before === undefined ? undefined : difference(before, week);
          const apartMs = before === undefined ? null : Date.parse(weekOf(week)) - Date.parse(weekOf(before));
          return {
            ...{ ...named(week.run), env: week.run.env, week: weekOf(week), runs: week.runs.length },
            prob_true: probability(week.centre),
            weeks_apart: apartMs === null ? null : apartMs / (7 * 86_400_000),
            ...{ logit_change: change?.by ?? null, change_lo: change?.lo ?? null },
            ...{ change_hi: change?.hi ?? null, moved: change?.isSure ?? null },
          };
        }),
    );
  },
  gate_failures: (rows) =>
    grouped(measuredOf(rows), ({ model, bank, env, simulated }) => [model, bank, env, simulated]).map(
      (runs) => {
        const [{ model, bank, env, simulated }] = runs;
        const passed = countOf(runs, (run) => run.gate_compliance && run.gate_stability && run.gate_width);
        return {
          ...{ model, bank, env, simulated, runs: runs.length },
          compliance_failed: countOf(runs, (run) => !run.gate_compliance),
          stability_failed: countOf(runs, (run) => !run.gate_stability),
          width_failed: countOf(runs, (run) => !run.gate_width),
          failed_share: 1 - passed / runs.length,
        };
      },
    ),
  model_disagreement(rows) {
    const all = beliefs(measuredOf(rows), envOf);
    const measured = (one: LakeRow) => [one.env, one.claim_hash, one.bank, one.bank_hash, one.simulated];
    const pairs = all.flatMap((a) =>
      all.flatMap((b) =>
        `${measured(a.run)}` === `${measured(b.run)}` && a.run.model < b.run.model ? [{ a, b }] : [],
      ),
    );
    return pairs.map(({ a, b }) => {
      const { by, lo, hi, isSure } = difference(a, b);
      const { claim, env, bank, simulated } = a.run;
      return {
        ...{ claim, env, bank, simulated, model_a: a.run.model, model_b: b.run.model },
        ...{ runs_a: a.runs.length, runs_b: b.runs.length },
        ...{ prob_a: probability(a.centre), prob_b: probability(b.centre) },
        ...{ logit_gap: by, gap_lo: lo, gap_hi: hi, differs: isSure },
      };
    });
  },
  model_versions: (rows) =>
    grouped(measuredOf(rows), ({ model, model_resolved, env, simulated }) => [
      ...[model, model_resolved, env, simulated],
    ]).map((runs) => {
      const [{ model, model_resolved, env, simulated }] = runs;
      const times = runs.map(({ created_at }) => created_at.toISOString()).sort();
      return {
        ...{ model, model_resolved, env, simulated, first_seen: times[0], last_seen: times.at(-1) },
        ...{ runs: runs.length, runs_mixed: countOf(runs, ({ model_changed }) => model_changed) },
      };
    }),
  prior_shift(rows) {
    const all = beliefs(measuredOf(rows), envOf);
    const inEnv = (wanted: string) => all.filter(({ run }) => run.env === wanted);
    return inEnv('local').flatMap((a) =>
      inEnv('production')
        .filter((b) => `${subject(a.run)}` === `${subject(b.run)}`)
        .map((b) => {
          const { by, lo, hi, isSure } = difference(a, b);
          return {
            ...{ ...named(a.run), runs_a: a.runs.length, runs_b: b.runs.length },
            ...{ prob_a: probability(a.centre), prob_b: probability(b.centre) },
            ...{ logit_shift: by, shift_lo: lo, shift_hi: hi, differs: isSure },
          };
        }),
    );
  },
  readout_gap: (rows) =>
    beliefs(measuredOf(rows).filter((run) => run.prob_true_logprob !== null)).map(
      ({ run, runs, centre, lo, hi }) => {
        const readout = mean(runs.map(({ prob_true_logprob }) => logitOf(prob_true_logprob ?? 0)));
        return {
          ...{ ...named(run), runs: runs.length, prob_stated: probability(centre) },
          ...{ prob_readout: probability(readout), logit_gap: readout - centre },
          mass_other: mean(runs.map(({ logprob_mass_other }) => logprob_mass_other ?? 0)),
          outside: readout < lo || readout > hi,
        };
      },
    ),
  refusals_by_model: (rows) =>
    grouped(measuredOf(rows), ({ model, env, simulated }) => [model, env, simulated]).map((runs) => {
      const [{ model, env, simulated }] = runs;
      const samples = total(runs.map(({ n_samples }) => n_samples));
      return {
        ...{ model, env, simulated, runs: runs.length, samples },
        claims: new Set(runs.map(({ claim_hash }) => claim_hash)).size,
        refused_share: total(runs.map(({ n_refused }) => n_refused)) / samples,
        invalid_share: total(runs.map(({ n_invalid }) => n_invalid)) / samples,
        failed_share: total(runs.map(({ n_failed }) => n_failed)) / samples,
        runs_with_refusals: countOf(runs, ({ n_refused }) => n_refused > 0),
      };
    }),
  refusals_by_template(rows) {
    const wordings = measuredOf(rows).flatMap(({ model, bank, simulated, counts_by_template_json: json }) =>
      Object.entries(JSON.parse(json) as Record<string, Record<string, number>>).map(
        ([template, counts]) => ({ named: { model, bank, simulated, template }, counts }),
      ),
    );
    return grouped(wordings, (one) => one.named).map((group) => {
      const samples = total(group.flatMap(({ counts }) => Object.values(counts)));
      const shareOf = (name: string) => total(group.map(({ counts }) => counts[name] ?? 0)) / samples;
      return {
        ...{ ...group[0].named, runs: group.length, samples },
        ...{ refused_share: shareOf('refused'), other_share: shareOf('other') },
      };
    });
  },
  slow_providers: (rows) =>
    grouped(
      measuredOf(rows).filter(({ calls_made }) => calls_made > 0),
      ({ model, env, simulated }) => [model, env, simulated],
    ).map((runs) => {
      const [{ model, env, simulated }] = runs;
      const times = runs.map(({ elapsed_ms }) => elapsed_ms);
      const plain = runs.filter(({ n_readouts }) => n_readouts === null);
      const asked = total(plain.map(({ n_samples, samples_reused }) => n_samples - samples_reused));
      return {
        ...{ provider: model.split('/')[0], model, env, simulated, runs: runs.length },
        calls: total(runs.map(({ calls_made }) => calls_made)),
        ...{ median_ms: Math.round(median(times)), p95_ms: Math.round(quantile(times, 0.95)) },
        median_ms_per_call: Math.round(10 * median(runs.map((run) => run.elapsed_ms / run.calls_made))) / 10,
        calls_per_sample:
          plain.length === 0 ? null : total(plain.map(({ calls_made }) => calls_made)) / asked,
        failed_share:
          total(runs.map(({ n_failed }) => n_failed)) / total(runs.map(({ n_samples }) => n_samples)),
      };
    }),
  spend_by_model: (rows) =>
    grouped(measuredOf(rows), ({ model, env, lane, simulated }) => [model, env, lane, simulated]).map(
      (runs) => {
        const [{ model, env, lane, simulated }] = runs;
        const prices = runs.map(({ cost_usd }) => cost_usd);
        const unknown = prices.filter((price) => price === null).length;
        const cost = sum(prices);
        return {
          ...{ model, env, lane, simulated, runs: runs.length },
          calls: total(runs.map(({ calls_made }) => calls_made)),
          tokens_in: sum(runs.map(({ tokens_in }) => tokens_in)),
          tokens_out: sum(runs.map(({ tokens_out }) => tokens_out)),
          cost_usd: cost,
          cost_per_run_usd: cost === null ? null : cost / (runs.length - unknown),
          runs_without_price: unknown,
        };
      },
    ),
  unstable_claims: (rows) =>
    beliefs(measuredOf(rows), envOf)
      .map(({ run, runs, centre }) => ({
        ...{ ...named(run), env: run.env, runs: runs.length, prob_true: probability(centre) },
        iqr_logit: mean(runs.map(({ template_iqr_logit }) => template_iqr_logit)),
        stability: mean(runs.map(({ stability_score }) => stability_score)),
        ci_width: mean(runs.map(({ ci_width }) => ci_width)),
      }))
      .filter(({ iqr_logit }) => iqr_logit > 0.3),
};
