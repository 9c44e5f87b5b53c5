import { randomUUID } from 'node:crypto';
import type { Sql } from 'postgres';
import { sha256Hex } from '../../src/base/canonical.js';
import type { Environment } from '../../src/base/environments.js';
import { uuidv7 } from '../../src/base/ids.js';
import type { CheckRecord } from '../../src/rpl/record.js';

/** A check that the schema accepts, with some of its columns replaced. */
export function checkRow(env: Environment, changes: Partial<CheckRecord> = {}): CheckRecord {
  const hash = sha256Hex('any');
  return {
    run_id: uuidv7(new Date()),
    env,
    created_at: new Date(),
    claim: 'Water boils at 100 °C at sea level.',
    claim_hash: hash,
    model: 'openai/gpt-5-mini',
    model_resolved: null,
    simulated: false,
    bank: 'plain@1',
    bank_hash: hash,
    config_hash: hash,
    k: 8,
    r: 2,
    t: 8,
    b: 5_000,
    temperature: 1,
    max_output_tokens: 200,
    estimator: 'rpl-2',
    bootstrap_seed: 18_446_744_073_709_551_615n,
    prob_true_rpl: 0.9,
    logit: 2.2,
    ci_lo: 0.85,
    ci_hi: 0.95,
    ci_width: 0.1,
    template_iqr_logit: 0.1,
    stability_score: 0.8,
    stability_band: 'medium',
    imbalance_ratio: 1,
    n_templates: 8,
    n_samples: 16,
    n_usable: 16,
    n_refused: 0,
    n_invalid: 0,
    n_failed: 0,
    compliance_strict_first: 1,
    compliance_repaired: 0,
    compliance_rate: 1,
    prob_true_lower_bound: null,
    prob_true_upper_bound: null,
    gate_compliance: true,
    gate_stability: true,
    gate_width: true,
    pqs: 90,
    verdict: 'likely_true',
    calls_made: 16,
    samples_reused: 0,
    tokens_in: 100,
    tokens_out: 100,
    cost_usd: '0.001234',
    elapsed_ms: 12.5,
    sampler_json: '["a","b"]',
    config_json: '{"k":8}',
    counts_by_template_json: '{"a":{"usable":2}}',
    prob_true_logprob: null,
    logprob_mass_other: null,
    n_readouts: null,
    readouts_by_status_json: null,
    model_changed: false,
    was_cached: false,
    cached_from: null,
    ...changes,
  };
}

/** Writes as a session would that declared `environment`, or nothing at all. */
export function writeAs(
  sql: Sql,
  environment: string | undefined,
  statement: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  return sql.begin(async (transaction) => {
    if (environment !== undefined) await transaction`select set_config('hx.env', ${environment}, true)`;
    for (const [name, value] of Object.entries(settings)) {
      await transaction`select set_config(${name}, ${value}, true)`;
    }
    await transaction.unsafe(statement);
  });
}

/** An insert into result_cache, the smallest table whose rows name their environment. */
export function insertCache(env: string): string {
  return `insert into result_cache (cache_key, env, state, run_id, generation, lease_expires_at, expires_at)
    values ('${randomUUID()}', '${env}', 'pending', '${randomUUID()}', 1, now(), now())`;
}

/** Removes a database's identity as only its owner or a superuser can. */
export async function removeIdentity(sql: Sql): Promise<void> {
  await sql.unsafe(
    `alter table hx.identity disable trigger user;
     delete from hx.identity;
     alter table hx.identity enable always trigger hx_guard_identity,
       enable always trigger hx_guard_identity_truncate`,
  );
}
