import { optional, type RowOf, required } from './column.js';

/**
 * The single description of a run's columns. The SQLite `runs` table, the Postgres `checks` table and the
 * Parquet files of the lake all carry these columns under these names; a test reads the three back.
 * Operational context (who asked, what was cached) is added by lane A only.
 */

export const RUN_COLUMNS = [
  required('run_id', 'uuid', 'Identity of the run (UUIDv7)'),
  required('env', 'text', 'Environment in which the run took place', 'local | development | production'),
  required(
    'created_at',
    'timestamp',
    'When the run was asked for; decides its partition and never changes',
    'UTC',
  ),
  required('claim', 'text', 'The claim as measured, white space at its ends removed'),
  required(
    'claim_hash',
    'text',
    'Hash of the claim; joins the same claim across environments',
    'SHA-256, hex',
  ),
  required('model', 'text', 'Model as requested', 'provider/name'),
  optional('model_resolved', 'text', 'Model as the provider named it in its answers'),
  required('simulated', 'boolean', 'Whether the answers came from the simulator instead of a model'),
  required('bank', 'text', 'Prompt bank', 'id@version'),
  required('bank_hash', 'text', "Hash of the bank's canonical content", 'SHA-256, hex'),
  required('config_hash', 'text', 'Hash of everything that determines the computation', 'SHA-256, hex'),
  required('k', 'integer', 'Paraphrase slots'),
  required('r', 'integer', 'Replicates a slot'),
  required('t', 'integer', 'Templates in the sample plan, min(K, T requested, bank size)'),
  required('b', 'integer', 'Bootstrap resamples'),
  required('temperature', 'double', 'Sampling temperature sent with every call'),
  required('max_output_tokens', 'integer', 'Answer length limit sent with every call', 'tokens'),
  required('estimator', 'text', 'Which interval it is', 'rpl-1 | rpl-2 | t | stein'),
  required('bootstrap_seed', 'uint64', 'Seed of the bootstrap'),
  required('prob_true_rpl', 'double', 'Estimated prior belief that the claim is true', 'probability'),
  required('logit', 'double', 'The estimate before it is turned back into a probability', 'logit'),
  required('ci_lo', 'double', 'Lower end of the 95 % interval', 'probability'),
  required('ci_hi', 'double', 'Upper end of the 95 % interval', 'probability'),
  required('ci_width', 'double', 'ci_hi - ci_lo', 'probability'),
  required('template_iqr_logit', 'double', 'Interquartile range of the template means', 'logit'),
  required('stability_score', 'double', '1 / (1 + (IQR / 0.2)^1.7)', '0 to 1'),
  required(
    'stability_band',
    'text',
    'Band of the template IQR: high up to 0.05, medium up to 0.30',
    'high | medium | low',
  ),
  required('imbalance_ratio', 'double', 'Most over fewest usable samples of a template'),
  required('n_templates', 'integer', 'Templates with at least one usable sample'),
  required('n_samples', 'integer', 'Samples planned'),
  required('n_usable', 'integer', 'Samples that counted (valid or repaired)'),
  required('n_refused', 'integer', 'Samples that the model refused to answer'),
  required('n_invalid', 'integer', 'Samples off schema, with a citation or cut short, after their retry'),
  required('n_failed', 'integer', 'Samples without any answer after every retry'),
  required(
    'compliance_strict_first',
    'double',
    'Samples whose first answer was strictly valid, of those planned',
    'share',
  ),
  required(
    'compliance_repaired',
    'double',
    'Samples whose JSON had to be found in fences or prose, of those planned',
    'share',
  ),
  required('compliance_rate', 'double', 'Usable samples of those planned', 'share'),
  optional(
    'prob_true_lower_bound',
    'double',
    'Estimate if every refusal had been a 0; given when refusals exceed 20 %',
    'probability',
  ),
  optional(
    'prob_true_upper_bound',
    'double',
    'Estimate if every refusal had been a 1; given when refusals exceed 20 %',
    'probability',
  ),
  required('gate_compliance', 'boolean', 'compliance_rate >= 0.98'),
  required('gate_stability', 'boolean', 'stability_score >= 0.25'),
  required('gate_width', 'boolean', 'ci_width <= 0.30'),
  required('pqs', 'integer', 'Prompt quality score, version 1', '0 to 100'),
  required(
    'verdict',
    'text',
    'Reading of prob_true_rpl at 0.60 and 0.40',
    'likely_true | likely_false | uncertain',
  ),
  required('calls_made', 'integer', 'Calls sent for this run, retries included', 'calls'),
  required('samples_reused', 'integer', 'Samples taken from answers that were stored already'),
  optional(
    'tokens_in',
    'integer',
    "Input tokens by the provider's usage reports; null when it reported none",
    'tokens',
  ),
  optional(
    'tokens_out',
    'integer',
    "Output tokens by the provider's usage reports; null when it reported none",
    'tokens',
  ),
  optional('cost_usd', 'money', 'Cost by the dated price table; null when the price is unknown', 'USD'),
  required('elapsed_ms', 'double', 'Wall time from the first call planned to the estimate', 'milliseconds'),
  required(
    'sampler_json',
    'json',
    'Templates in slot order; of a check also those whose answers and readouts it uses',
  ),
  required('config_json', 'json', 'The configuration behind config_hash, canonical'),
  required('counts_by_template_json', 'json', 'Usable, refused and other samples by template'),
  optional(
    'prob_true_logprob',
    'double',
    "P(True) by the model's own token probabilities, mean of logits over templates; null without a readout",
    'probability',
  ),
  optional(
    'logprob_mass_other',
    'double',
    'Mean token probability that fell on neither True nor False; null without a readout',
    'probability',
  ),
  optional('n_readouts', 'integer', 'Templates whose readout counts; null when none was asked for'),
  optional('readouts_by_status_json', 'json', 'Readouts by what came of them; null when none was asked for'),
  optional(
    'model_changed',
    'boolean',
    'Whether usable answers name more than one model or serving; null before schema version 2',
  ),
] as const;

/** What lane A adds to a run: how its answer came about. */
export const CHECK_CONTEXT_COLUMNS = [
  required(
    'was_cached',
    'boolean',
    'Whether the result was taken from result_cache instead of being computed',
  ),
  optional('cached_from', 'uuid', 'The run that computed the result, when was_cached'),
] as const;

/** What becomes of a row of lane A after it was stored; its triggers keep these, and the lake takes them along. */
export const CHANGE_COLUMNS = [
  required('revision', 'integer', 'How often the row was changed since it was stored'),
  optional('deleted_at', 'timestamp', 'When it was deleted, with the user whose it was', 'UTC'),
] as const;

/** The columns of `checks` that leave the database, in the order in which they travel. */
export const EXPORT_COLUMNS = [...RUN_COLUMNS, ...CHECK_CONTEXT_COLUMNS, ...CHANGE_COLUMNS] as const;

/** One row of lane A's `checks`. */
export type CheckRecord = RunRecord & RowOf<typeof CHECK_CONTEXT_COLUMNS>;

/** One model call as both lanes store it; each lane adds whose it was. */
export const ATTEMPT_COLUMNS = [
  required('sample_key', 'text', 'Identity of the sample', 'SHA-256, hex'),
  required('template_id', 'text', 'Template of the bank'),
  required('replicate', 'integer', 'Replicate within the template, from 0'),
  required('ordinal', 'integer', 'Number of the call within its sample, from 1'),
  required('status', 'text', 'What came of it'),
  optional('prob_true', 'double', 'The answer, when usable', 'probability'),
  optional('answer_text', 'text', 'The answer as it came'),
  optional('problem', 'text', 'Why it is not valid'),
  optional('model_resolved', 'text', 'Model as the provider named it'),
  optional('system_fingerprint', 'text', "Provider's fingerprint of its serving"),
  optional('tokens_in', 'integer', 'Input tokens reported', 'tokens'),
  optional('tokens_out', 'integer', 'Output tokens reported', 'tokens'),
  required('started_at', 'timestamp', 'When the call was sent', 'UTC'),
  required('latency_ms', 'double', 'Until the answer was whole', 'milliseconds'),
] as const;

export type AttemptRow = RowOf<typeof ATTEMPT_COLUMNS>;

/** One readout call as both lanes store it; each lane adds whose it was. */
export const READOUT_COLUMNS = [
  required('readout_key', 'text', 'Identity of the readout', 'SHA-256, hex'),
  required('template_id', 'text', 'Template of the bank'),
  required('ordinal', 'integer', 'Number of the call within its readout, from 1'),
  required('status', 'text', 'What came of it', 'valid | low_mass | no_logprobs | refused | failed'),
  optional('prob_true', 'double', 'mass_true / (mass_true + mass_false), when valid', 'probability'),
  optional('mass_true', 'double', 'Probability of the tokens that say True', 'probability'),
  optional('mass_false', 'double', 'Probability of the tokens that say False', 'probability'),
  optional(
    'tokens_json',
    'json',
    'The likeliest tokens at the place that was read, and their log probabilities',
  ),
  optional('answer_text', 'text', 'The answer as it came'),
  optional('problem', 'text', 'Why it does not count'),
  required('temperature', 'double', 'Sampling temperature sent with the call'),
  optional('model_resolved', 'text', 'Model as the provider named it'),
  optional('system_fingerprint', 'text', "Provider's fingerprint of its serving"),
  optional('tokens_in', 'integer', 'Input tokens reported', 'tokens'),
  optional('tokens_out', 'integer', 'Output tokens reported', 'tokens'),
  required('started_at', 'timestamp', 'When the call was sent', 'UTC'),
  required('latency_ms', 'double', 'Until the answer was whole', 'milliseconds'),
] as const;

export type ReadoutRow = RowOf<typeof READOUT_COLUMNS>;

/** One run, keyed by column name: what SQLite, Postgres, Parquet and `--json` all show. */
export type RunRecord = RowOf<typeof RUN_COLUMNS>;
