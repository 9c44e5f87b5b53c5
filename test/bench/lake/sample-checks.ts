import type { Sql } from 'postgres';

/** The first of the days on which the checks were made. */
const FIRST_DAY = '2026-10-01';

/**
 * Fills a migrated local database with checks like real ones, in the order of their instants: 500 claims, 7 models,
 * JSON of a measurement of 16 templates. The guards are off meanwhile, as they look at row after row.
 */
export async function fillChecks(sql: Sql, rows: number, days: number): Promise<void> {
  await sql.begin(async (transaction) => {
    await transaction`set local session_replication_role = replica`;
    await transaction`alter table checks disable trigger all`;
    await transaction.unsafe(statement(rows, days));
    await transaction`alter table checks enable trigger all`;
  });
  await sql`vacuum (analyze) checks`;
}

function statement(rows: number, days: number): string {
  const hash = (text: string) => `encode(sha256((${text})::text::bytea), 'hex')`;
  const uniform = (salt: number) => `abs(hashint8(n * 31 + ${salt})) / 2147483648.0`;
  const values: Record<string, string> = {
    run_id: `(lpad(to_hex(n), 8, '0') || '-0000-7000-8000-' || substr(md5(n::text), 1, 12))::uuid`,
    env: `'local'`,
    created_at: `timestamptz '${FIRST_DAY} 00:00:00.000123+00' + (n - 1) * interval '${(days * 86_400) / rows} seconds'`,
    claim: `'Claim number ' || n % 500 || ': tides are caused by the pull of the moon, and twice a day'`,
    claim_hash: hash('n % 500'),
    model: `'provider/model-' || n % 7`,
    model_resolved: `'model-' || n % 7 || '-2026-08-01'`,
    simulated: 'false',
    bank: `'plain@1'`,
    bank_hash: hash(`'bank'`),
    config_hash: hash('n % 3500'),
    ...{
      k: '16',
      r: '2',
      t: '16',
      b: '5000',
      temperature: '0.7',
      max_output_tokens: '256',
      estimator: `'rpl-2'`,
    },
    bootstrap_seed: `(18446744073709551615 - n * 7919)::numeric(20, 0)`,
    prob_true_rpl: uniform(1),
    logit: `${uniform(2)} * 8 - 4`,
    ...{ ci_lo: `${uniform(3)} / 2`, ci_hi: `0.5 + ${uniform(4)} / 2`, ci_width: uniform(5) },
    ...{ template_iqr_logit: uniform(6), stability_score: uniform(7), stability_band: `'medium'` },
    imbalance_ratio: `1 + n % 3`,
    ...{
      n_templates: '16',
      n_samples: '32',
      n_usable: '32 - n % 3',
      n_refused: 'n % 2',
      n_invalid: '0',
      n_failed: '0',
    },
    ...{
      compliance_strict_first: '0.96875',
      compliance_repaired: '0',
      compliance_rate: '1 - (n % 3) / 32.0',
    },
    ...{
      gate_compliance: 'true',
      gate_stability: 'n % 5 > 0',
      gate_width: 'n % 11 > 0',
      pqs: '(60 + n % 41)::integer',
    },
    verdict: `'uncertain'`,
    ...{ calls_made: '32', samples_reused: '0', tokens_in: '3000 + n % 900', tokens_out: '500 + n % 300' },
    cost_usd: `(n % 100000) / 1000000.0`,
    elapsed_ms: `${uniform(8)} * 4000`,
    sampler_json: `jsonb_build_array('check-fact', 'is-it-true', 'judge', 'assess', 'consider', 'evaluate', 'rate', n % 16)`,
    config_json: `jsonb_build_object('bank', 'plain@1', 'k', 16, 'r', 2, 't', 16, 'b', 5000, 'model', 'provider/model-' || n % 7,
      'decoding', jsonb_build_object('temperature', 0.7, 'max_output_tokens', 256), 'estimator', 'rpl-2')`,
    counts_by_template_json: `jsonb_build_object('check-fact', '{"usable": 2, "refused": 0}'::jsonb,
      'is-it-true', '{"usable": 2, "refused": 0}'::jsonb, 'judge', jsonb_build_object('usable', n % 3, 'refused', n % 2))`,
    ...{ was_cached: 'false', cache_key: `'key-' || n` },
  };
  const names = Object.keys(values);
  return `insert into checks (${names.join(', ')}) select ${Object.values(values).join(', ')}
    from generate_series(1::bigint, ${rows}) as n`;
}
