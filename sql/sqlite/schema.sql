-- Schema version 1 of the research store: what was asked, every answer, every run and its estimates.
-- Nothing here is ever updated in place but for an execution's signs of life and its end.

-- One finished run a distinct full configuration; the columns are those of the run record.
create table runs (
  run_id text not null primary key,
  env text not null,
  created_at text not null,
  claim text not null,
  claim_hash text not null,
  model text not null,
  model_resolved text,
  simulated integer not null check (simulated in (0, 1)),
  bank text not null,
  bank_hash text not null,
  config_hash text not null unique,
  k integer not null,
  r integer not null,
  t integer not null,
  b integer not null,
  temperature real not null,
  max_output_tokens integer not null,
  estimator text not null,
  bootstrap_seed text not null,
  prob_true_rpl real not null,
  logit real not null,
  ci_lo real not null,
  ci_hi real not null,
  ci_width real not null,
  template_iqr_logit real not null,
  stability_score real not null,
  stability_band text not null,
  imbalance_ratio real not null,
  n_templates integer not null,
  n_samples integer not null,
  n_usable integer not null,
  n_refused integer not null,
  n_invalid integer not null,
  n_failed integer not null,
  compliance_strict_first real not null,
  compliance_repaired real not null,
  compliance_rate real not null,
  prob_true_lower_bound real,
  prob_true_upper_bound real,
  gate_compliance integer not null check (gate_compliance in (0, 1)),
  gate_stability integer not null check (gate_stability in (0, 1)),
  gate_width integer not null check (gate_width in (0, 1)),
  pqs integer not null,
  verdict text not null,
  calls_made integer not null,
  samples_reused integer not null,
  tokens_in integer,
  tokens_out integer,
  cost_usd text,
  elapsed_ms real not null,
  sampler_json text not null check (json_valid(sampler_json)),
  config_json text not null check (json_valid(config_json)),
  counts_by_template_json text not null check (json_valid(counts_by_template_json))
) strict;

-- One invocation; the first with a configuration gives its run the run id.
create table executions (
  execution_id text primary key,
  run_id text not null,
  config_hash text not null,
  base_hash text not null,
  repeat integer not null check (repeat >= 0),
  started_at text not null,
  pid integer not null,
  seen_at text not null,
  ended_at text,
  outcome text not null default 'running' check (outcome in ('running', 'finished', 'reused', 'failed', 'interrupted'))
) strict;
create index executions_by_config on executions (config_hash);
create index executions_by_base on executions (base_hash, repeat);

-- One model call, committed when it ended.
create table attempts (
  attempt_id integer primary key,
  execution_id text not null references executions (execution_id),
  run_id text not null,
  sample_key text not null,
  template_id text not null,
  replicate integer not null check (replicate >= 0),
  ordinal integer not null check (ordinal >= 1),
  status text not null
    check (status in ('valid', 'repaired', 'invalid', 'leaked', 'refused', 'truncated', 'failed')),
  prob_true real check (prob_true between 0 and 1),
  answer_text text,
  problem text,
  model_resolved text,
  system_fingerprint text,
  tokens_in integer,
  tokens_out integer,
  started_at text not null,
  latency_ms real not null
) strict;
create index attempts_by_sample on attempts (sample_key);

-- Which attempt answered which sample of an execution, and whether an earlier run had paid for it.
create table execution_samples (
  execution_id text not null references executions (execution_id),
  sample_key text not null,
  attempt_id integer not null references attempts (attempt_id),
  reused integer not null check (reused in (0, 1)),
  primary key (execution_id, sample_key)
) strict, without rowid;

-- Every estimate ever computed; computing one again adds a row.
create table estimates (
  estimate_id integer primary key,
  run_id text not null references runs (run_id),
  execution_id text not null references executions (execution_id),
  created_at text not null,
  estimator text not null,
  b integer not null,
  bootstrap_seed text not null,
  prob_true_rpl real not null,
  logit real not null,
  ci_lo real not null,
  ci_hi real not null
) strict;

-- Runs whose row is safely in the lake; a finished run that is missing here is appended by the next invocation.
create table published_runs (
  run_id text primary key references runs (run_id),
  published_at text not null
) strict;

pragma user_version = 1;
