-- What was measured for whom: requests, one row a run, one row a model call, and results kept for reuse.
-- The measured columns of checks and attempts are those of src/rpl/record.ts; a test compares the two.
-- hx: allow=hidden-in-do-block reason=the columns to export follow a rule

create table requests (
  request_id uuid primary key,
  env text not null,
  user_id uuid references users on delete set null,
  claim_hash text not null check (claim_hash ~ '^[0-9a-f]{64}$'),
  models jsonb not null check (jsonb_typeof(models) = 'array'),
  created_at timestamptz not null default now()
);
comment on table requests is 'One question put to several models at once; its checks refer to it';
create index requests_user_id_idx on requests (user_id, created_at);

create table checks (
  run_id uuid primary key,
  env text not null check (env in ('local', 'development', 'production')),
  created_at timestamptz not null,
  claim text not null check (claim <> ''),
  claim_hash text not null check (claim_hash ~ '^[0-9a-f]{64}$'),
  model text not null check (model <> ''),
  model_resolved text,
  simulated boolean not null,
  bank text not null,
  bank_hash text not null check (bank_hash ~ '^[0-9a-f]{64}$'),
  config_hash text not null check (config_hash ~ '^[0-9a-f]{64}$'),
  k integer not null check (k > 0),
  r integer not null check (r > 0),
  t integer not null check (t > 0),
  b integer not null check (b > 0),
  temperature double precision not null check (temperature >= 0 and temperature < 'Infinity'),
  max_output_tokens integer not null check (max_output_tokens > 0),
  estimator text not null,
  bootstrap_seed numeric(20, 0) not null check (bootstrap_seed between 0 and 18446744073709551615),
  prob_true_rpl double precision not null check (prob_true_rpl between 0 and 1),
  logit double precision not null,
  ci_lo double precision not null check (ci_lo between 0 and 1),
  ci_hi double precision not null check (ci_hi between 0 and 1),
  ci_width double precision not null check (ci_width between 0 and 1),
  template_iqr_logit double precision not null check (template_iqr_logit >= 0),
  stability_score double precision not null check (stability_score between 0 and 1),
  stability_band text not null check (stability_band in ('high', 'medium', 'low')),
  imbalance_ratio double precision not null,
  n_templates integer not null check (n_templates > 0),
  n_samples integer not null check (n_samples > 0),
  n_usable integer not null check (n_usable between 1 and n_samples),
  n_refused integer not null check (n_refused between 0 and n_samples),
  n_invalid integer not null check (n_invalid between 0 and n_samples),
  n_failed integer not null check (n_failed between 0 and n_samples),
  compliance_strict_first double precision not null check (compliance_strict_first between 0 and 1),
  compliance_repaired double precision not null check (compliance_repaired between 0 and 1),
  compliance_rate double precision not null check (compliance_rate between 0 and 1),
  prob_true_lower_bound double precision check (prob_true_lower_bound between 0 and 1),
  prob_true_upper_bound double precision check (prob_true_upper_bound between 0 and 1),
  gate_compliance boolean not null,
  gate_stability boolean not null,
  gate_width boolean not null,
  pqs integer not null check (pqs between 0 and 100),
  verdict text not null check (verdict in ('likely_true', 'likely_false', 'uncertain')),
  calls_made integer not null check (calls_made >= 0),
  samples_reused integer not null check (samples_reused >= 0),
  tokens_in integer check (tokens_in >= 0),
  tokens_out integer check (tokens_out >= 0),
  cost_usd numeric(12, 6) check (cost_usd >= 0),
  elapsed_ms double precision not null check (elapsed_ms >= 0),
  sampler_json jsonb not null,
  config_json jsonb not null,
  counts_by_template_json jsonb not null,
  prob_true_logprob double precision check (prob_true_logprob between 0 and 1),
  logprob_mass_other double precision check (logprob_mass_other between 0 and 1),
  n_readouts integer check (n_readouts >= 0),
  readouts_by_status_json jsonb,
  model_changed boolean,
  was_cached boolean not null,
  cached_from uuid references checks on delete restrict,
  user_id uuid references users on delete set null,
  request_id uuid references requests on delete set null,
  cache_key text,
  xid xid8 not null default pg_current_xact_id(),
  stored_at timestamptz not null default now(),
  constraint checks_interval_check check (ci_lo <= ci_hi),
  constraint checks_cached_check check (was_cached = (cached_from is not null)),
  constraint checks_bounds_check check ((prob_true_lower_bound is null) = (prob_true_upper_bound is null))
);
comment on table checks is 'One row per run, never changed: a run answered from the cache is a row of its own';
comment on column checks.n_readouts is 'Null when no readout was asked for, 0 when none counts';
comment on column checks.xid is 'The writing transaction: an export watermark that commits out of order cannot slip past';
create index checks_created_at_idx on checks (created_at, run_id);
create index checks_xid_idx on checks (xid);
create index checks_claim_hash_idx on checks (claim_hash, model, created_at);
create index checks_user_id_idx on checks (user_id, created_at);
create index checks_request_id_idx on checks (request_id);
create index checks_cached_from_idx on checks (cached_from);

create table attempts (
  attempt_id uuid primary key,
  run_id uuid not null,
  env text not null check (env in ('local', 'development', 'production')),
  sample_key text not null check (sample_key ~ '^[0-9a-f]{64}$'),
  template_id text not null,
  replicate integer not null check (replicate >= 0),
  ordinal integer not null check (ordinal > 0),
  status text not null
    check (status in ('valid', 'repaired', 'invalid', 'leaked', 'refused', 'truncated', 'failed')),
  prob_true double precision check (prob_true between 0 and 1),
  answer_text text,
  problem text,
  model_resolved text,
  system_fingerprint text,
  tokens_in integer check (tokens_in >= 0),
  tokens_out integer check (tokens_out >= 0),
  started_at timestamptz not null,
  latency_ms double precision not null check (latency_ms >= 0),
  stored_at timestamptz not null default now(),
  constraint attempts_usable_check check ((status in ('valid', 'repaired')) = (prob_true is not null))
);
comment on table attempts is 'One row per model call, committed before the run that it belongs to is complete';
comment on column attempts.run_id is 'The run, which gets its row in checks once it is complete; hence no foreign key';
create index attempts_run_id_idx on attempts (run_id);

create table readouts (
  readout_id uuid primary key,
  run_id uuid not null,
  env text not null check (env in ('local', 'development', 'production')),
  readout_key text not null check (readout_key ~ '^[0-9a-f]{64}$'),
  template_id text not null,
  ordinal integer not null check (ordinal > 0),
  status text not null check (status in ('valid', 'low_mass', 'no_logprobs', 'refused', 'failed')),
  prob_true double precision check (prob_true between 0 and 1),
  mass_true double precision check (mass_true between 0 and 1),
  mass_false double precision check (mass_false between 0 and 1),
  tokens_json jsonb,
  answer_text text,
  problem text,
  temperature double precision not null check (temperature >= 0 and temperature < 'Infinity'),
  model_resolved text,
  system_fingerprint text,
  tokens_in integer check (tokens_in >= 0),
  tokens_out integer check (tokens_out >= 0),
  started_at timestamptz not null,
  latency_ms double precision not null check (latency_ms >= 0),
  stored_at timestamptz not null default now(),
  constraint readouts_valid_check check ((status = 'valid') = (prob_true is not null))
);
comment on table readouts is 'One row per readout call, committed before the run that it belongs to is complete';
comment on column readouts.run_id is 'The run, which gets its row in checks once it is complete; hence no foreign key';
create index readouts_run_id_idx on readouts (run_id);

create table result_cache (
  cache_key text primary key check (cache_key <> ''),
  env text not null check (env in ('local', 'development', 'production')),
  state text not null check (state in ('pending', 'ready')),
  run_id uuid not null,
  generation integer not null check (generation > 0),
  lease_expires_at timestamptz,
  result jsonb,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  constraint result_cache_complete_check check (
    case state
      when 'ready' then result is not null
      else result is null and lease_expires_at is not null
    end
  )
);
comment on table result_cache is 'Results by the hash of everything that determines them, and leases on computing them';
create index result_cache_expires_at_idx on result_cache (expires_at);

-- A simulated answer must never pass for a measurement that a user paid for.
create function hx.refuse_simulated() returns trigger language plpgsql
set search_path = pg_catalog, pg_temp as $$
begin
  raise exception 'Production does not store simulated runs.'
    using errcode = 'HX003', hint = 'Use a real model, or another environment.';
end
$$;
create trigger hx_refuse_simulated before insert on checks
  for each row when (new.simulated and new.env = 'production') execute function hx.refuse_simulated();
alter table checks enable always trigger hx_refuse_simulated;

select hx.guard_table('requests');
select hx.guard_table('checks');
select hx.guard_table('attempts');
select hx.guard_table('readouts');
select hx.guard_table('result_cache');
select hx.make_append_only('checks', 'user_id', 'request_id');
select hx.make_append_only('attempts');
select hx.make_append_only('readouts');

-- Erasing a person takes the person out of checks by their foreign keys, which act as the owner.
grant update, delete on result_cache to hx_app;

-- The export: what was measured, never who asked.
do $$
begin
  execute (
    select format('grant select (%s) on checks to hx_export', string_agg(quote_ident(attname), ', ' order by attnum))
    from pg_catalog.pg_attribute
    where attrelid = 'checks'::regclass and attnum > 0 and not attisdropped
      and attname not in ('user_id', 'request_id', 'cache_key')
  );
end
$$;
