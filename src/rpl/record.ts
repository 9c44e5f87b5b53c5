/**
 * The single description of a run's columns. The SQLite `runs` table, the Postgres `checks` table and the
 * Parquet files of the lake all carry these columns under these names; a test reads the three back.
 * Operational context (who asked, what was cached) is added by lane A only.
 */

/**
 * Storage-neutral column types.
 * `uint64` is an unsigned 64-bit integer, a `bigint` in memory; `money` is US dollars to six decimals, a
 * decimal string in memory; `timestamp` is a UTC instant, a `Date` in memory; `json` is JSON text in memory.
 */
export type ColumnType =
  | 'uuid'
  | 'text'
  | 'boolean'
  | 'integer'
  | 'uint64'
  | 'double'
  | 'money'
  | 'timestamp'
  | 'json';

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  readonly nullable: boolean;
  /** The unit or the set of values, where the name alone does not say it. */
  readonly unit?: string;
  readonly meaning: string;
}

export const RUN_COLUMNS = [
  { name: 'run_id', type: 'uuid', nullable: false, meaning: 'Identity of the run (UUIDv7)' },
  {
    name: 'env',
    type: 'text',
    nullable: false,
    unit: 'local | development | production',
    meaning: 'Environment in which the run took place',
  },
  {
    name: 'created_at',
    type: 'timestamp',
    nullable: false,
    unit: 'UTC',
    meaning: 'When the run was asked for; decides its partition and never changes',
  },
  {
    name: 'claim',
    type: 'text',
    nullable: false,
    meaning: 'The claim as measured, white space at its ends removed',
  },
  {
    name: 'claim_hash',
    type: 'text',
    nullable: false,
    unit: 'SHA-256, hex',
    meaning: 'Hash of the claim; joins the same claim across environments',
  },
  { name: 'model', type: 'text', nullable: false, unit: 'provider/name', meaning: 'Model as requested' },
  {
    name: 'model_resolved',
    type: 'text',
    nullable: true,
    meaning: 'Model as the provider named it in its answers',
  },
  {
    name: 'simulated',
    type: 'boolean',
    nullable: false,
    meaning: 'Whether the answers came from the simulator instead of a model',
  },
  { name: 'bank', type: 'text', nullable: false, unit: 'id@version', meaning: 'Prompt bank' },
  {
    name: 'bank_hash',
    type: 'text',
    nullable: false,
    unit: 'SHA-256, hex',
    meaning: "Hash of the bank's canonical content",
  },
  {
    name: 'config_hash',
    type: 'text',
    nullable: false,
    unit: 'SHA-256, hex',
    meaning: 'Hash of everything that determines the computation',
  },
  { name: 'k', type: 'integer', nullable: false, meaning: 'Paraphrase slots' },
  { name: 'r', type: 'integer', nullable: false, meaning: 'Replicates a slot' },
  {
    name: 't',
    type: 'integer',
    nullable: false,
    meaning: 'Templates in the sample plan, min(K, T requested, bank size)',
  },
  { name: 'b', type: 'integer', nullable: false, meaning: 'Bootstrap resamples' },
  {
    name: 'temperature',
    type: 'double',
    nullable: false,
    meaning: 'Sampling temperature sent with every call',
  },
  {
    name: 'max_output_tokens',
    type: 'integer',
    nullable: false,
    unit: 'tokens',
    meaning: 'Answer length limit sent with every call',
  },
  {
    name: 'estimator',
    type: 'text',
    nullable: false,
    unit: 'rpl-1 | rpl-2 | t | stein',
    meaning: 'Which interval it is',
  },
  { name: 'bootstrap_seed', type: 'uint64', nullable: false, meaning: 'Seed of the bootstrap' },
  {
    name: 'prob_true_rpl',
    type: 'double',
    nullable: false,
    unit: 'probability',
    meaning: 'Estimated prior belief that the claim is true',
  },
  {
    name: 'logit',
    type: 'double',
    nullable: false,
    unit: 'logit',
    meaning: 'The estimate before it is turned back into a probability',
  },
  {
    name: 'ci_lo',
    type: 'double',
    nullable: false,
    unit: 'probability',
    meaning: 'Lower end of the 95 % interval',
  },
  {
    name: 'ci_hi',
    type: 'double',
    nullable: false,
    unit: 'probability',
    meaning: 'Upper end of the 95 % interval',
  },
  { name: 'ci_width', type: 'double', nullable: false, unit: 'probability', meaning: 'ci_hi - ci_lo' },
  {
    name: 'template_iqr_logit',
    type: 'double',
    nullable: false,
    unit: 'logit',
    meaning: 'Interquartile range of the template means',
  },
  {
    name: 'stability_score',
    type: 'double',
    nullable: false,
    unit: '0 to 1',
    meaning: '1 / (1 + (IQR / 0.2)^1.7)',
  },
  {
    name: 'stability_band',
    type: 'text',
    nullable: false,
    unit: 'high | medium | low',
    meaning: 'Band of the template IQR: high up to 0.05, medium up to 0.30',
  },
  {
    name: 'imbalance_ratio',
    type: 'double',
    nullable: false,
    meaning: 'Most over fewest usable samples of a template',
  },
  {
    name: 'n_templates',
    type: 'integer',
    nullable: false,
    meaning: 'Templates with at least one usable sample',
  },
  { name: 'n_samples', type: 'integer', nullable: false, meaning: 'Samples planned' },
  { name: 'n_usable', type: 'integer', nullable: false, meaning: 'Samples that counted (valid or repaired)' },
  {
    name: 'n_refused',
    type: 'integer',
    nullable: false,
    meaning: 'Samples that the model refused to answer',
  },
  {
    name: 'n_invalid',
    type: 'integer',
    nullable: false,
    meaning: 'Samples off schema, with a citation or cut short, after their retry',
  },
  {
    name: 'n_failed',
    type: 'integer',
    nullable: false,
    meaning: 'Samples without any answer after every retry',
  },
  {
    name: 'compliance_strict_first',
    type: 'double',
    nullable: false,
    unit: 'share',
    meaning: 'Samples whose first answer was strictly valid, of those planned',
  },
  {
    name: 'compliance_repaired',
    type: 'double',
    nullable: false,
    unit: 'share',
    meaning: 'Samples whose JSON had to be found in fences or prose, of those planned',
  },
  {
    name: 'compliance_rate',
    type: 'double',
    nullable: false,
    unit: 'share',
    meaning: 'Usable samples of those planned',
  },
  {
    name: 'prob_true_lower_bound',
    type: 'double',
    nullable: true,
    unit: 'probability',
    meaning: 'Estimate if every refusal had been a 0; given when refusals exceed 20 %',
  },
  {
    name: 'prob_true_upper_bound',
    type: 'double',
    nullable: true,
    unit: 'probability',
    meaning: 'Estimate if every refusal had been a 1; given when refusals exceed 20 %',
  },
  { name: 'gate_compliance', type: 'boolean', nullable: false, meaning: 'compliance_rate >= 0.98' },
  { name: 'gate_stability', type: 'boolean', nullable: false, meaning: 'stability_score >= 0.25' },
  { name: 'gate_width', type: 'boolean', nullable: false, meaning: 'ci_width <= 0.30' },
  {
    name: 'pqs',
    type: 'integer',
    nullable: false,
    unit: '0 to 100',
    meaning: 'Prompt quality score, version 1',
  },
  {
    name: 'verdict',
    type: 'text',
    nullable: false,
    unit: 'likely_true | likely_false | uncertain',
    meaning: 'Reading of prob_true_rpl at 0.60 and 0.40',
  },
  {
    name: 'calls_made',
    type: 'integer',
    nullable: false,
    unit: 'calls',
    meaning: 'Calls sent for this run, retries included',
  },
  {
    name: 'samples_reused',
    type: 'integer',
    nullable: false,
    meaning: 'Samples taken from answers that were stored already',
  },
  {
    name: 'tokens_in',
    type: 'integer',
    nullable: true,
    unit: 'tokens',
    meaning: "Input tokens by the provider's usage reports; null when it reported none",
  },
  {
    name: 'tokens_out',
    type: 'integer',
    nullable: true,
    unit: 'tokens',
    meaning: "Output tokens by the provider's usage reports; null when it reported none",
  },
  {
    name: 'cost_usd',
    type: 'money',
    nullable: true,
    unit: 'USD',
    meaning: 'Cost by the dated price table; null when the price is unknown',
  },
  {
    name: 'elapsed_ms',
    type: 'double',
    nullable: false,
    unit: 'milliseconds',
    meaning: 'Wall time from the first call planned to the estimate',
  },
  { name: 'sampler_json', type: 'json', nullable: false, meaning: 'Templates in slot order' },
  {
    name: 'config_json',
    type: 'json',
    nullable: false,
    meaning: 'The configuration behind config_hash, canonical',
  },
  {
    name: 'counts_by_template_json',
    type: 'json',
    nullable: false,
    meaning: 'Usable, refused and other samples by template',
  },
] as const satisfies readonly Column[];

/** What lane A adds to a run: how its answer came about. */
export const CHECK_CONTEXT_COLUMNS = [
  {
    name: 'was_cached',
    type: 'boolean',
    nullable: false,
    meaning: 'Whether the result was taken from result_cache instead of being computed',
  },
  {
    name: 'cached_from',
    type: 'uuid',
    nullable: true,
    meaning: 'The run that computed the result, when was_cached',
  },
] as const satisfies readonly Column[];

/** One row of lane A's `checks`. */
export type CheckRecord = RunRecord & RowOf<typeof CHECK_CONTEXT_COLUMNS>;

/** One model call as both lanes store it; each lane adds whose it was. */
export const ATTEMPT_COLUMNS = [
  {
    name: 'sample_key',
    type: 'text',
    nullable: false,
    unit: 'SHA-256, hex',
    meaning: 'Identity of the sample',
  },
  { name: 'template_id', type: 'text', nullable: false, meaning: 'Template of the bank' },
  { name: 'replicate', type: 'integer', nullable: false, meaning: 'Replicate within the template, from 0' },
  {
    name: 'ordinal',
    type: 'integer',
    nullable: false,
    meaning: 'Number of the call within its sample, from 1',
  },
  { name: 'status', type: 'text', nullable: false, meaning: 'What came of it' },
  {
    name: 'prob_true',
    type: 'double',
    nullable: true,
    unit: 'probability',
    meaning: 'The answer, when usable',
  },
  { name: 'answer_text', type: 'text', nullable: true, meaning: 'The answer as it came' },
  { name: 'problem', type: 'text', nullable: true, meaning: 'Why it is not valid' },
  { name: 'model_resolved', type: 'text', nullable: true, meaning: 'Model as the provider named it' },
  {
    name: 'system_fingerprint',
    type: 'text',
    nullable: true,
    meaning: "Provider's fingerprint of its serving",
  },
  { name: 'tokens_in', type: 'integer', nullable: true, unit: 'tokens', meaning: 'Input tokens reported' },
  { name: 'tokens_out', type: 'integer', nullable: true, unit: 'tokens', meaning: 'Output tokens reported' },
  { name: 'started_at', type: 'timestamp', nullable: false, unit: 'UTC', meaning: 'When the call was sent' },
  {
    name: 'latency_ms',
    type: 'double',
    nullable: false,
    unit: 'milliseconds',
    meaning: 'Until the answer was whole',
  },
] as const satisfies readonly Column[];

export type AttemptRow = RowOf<typeof ATTEMPT_COLUMNS>;

interface InMemory {
  uuid: string;
  text: string;
  boolean: boolean;
  integer: number;
  uint64: bigint;
  double: number;
  money: string;
  timestamp: Date;
  json: string;
}

type ValueOf<C extends Column> = C['nullable'] extends true
  ? InMemory[C['type']] | null
  : InMemory[C['type']];

/** A row of any column table, keyed by column name. */
export type RowOf<Columns extends readonly Column[]> = {
  [C in Columns[number] as C['name']]: ValueOf<C>;
};

/** One run, keyed by column name: what SQLite, Postgres, Parquet and `--json` all show. */
export type RunRecord = RowOf<typeof RUN_COLUMNS>;

/**
 * A row as plain JSON: uint64 and money as strings (a JSON number would lose digits), timestamps as ISO 8601
 * in UTC, JSON columns as values.
 */
export function rowToJson(
  columns: readonly Column[],
  row: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const json: Record<string, unknown> = {};
  for (const { name, type } of columns) {
    const value = row[name] ?? null;
    if (value === null) json[name] = null;
    else if (type === 'timestamp') json[name] = (value as Date).toISOString();
    else if (type === 'json') json[name] = JSON.parse(value as string);
    else if (type === 'uint64') json[name] = String(value);
    else json[name] = value;
  }
  return json;
}

/** The inverse of rowToJson. */
export function rowFromJson<Columns extends readonly Column[]>(
  columns: Columns,
  json: Readonly<Record<string, unknown>>,
): RowOf<Columns> {
  const row: Record<string, unknown> = {};
  for (const { name, type } of columns) {
    const value = json[name] ?? null;
    if (value === null) row[name] = null;
    else if (type === 'timestamp') row[name] = new Date(value as string);
    else if (type === 'json') row[name] = JSON.stringify(value);
    else if (type === 'uint64') row[name] = BigInt(value as string);
    else row[name] = value;
  }
  return row as RowOf<Columns>;
}
