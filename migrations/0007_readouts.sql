-- The logprob readout: P(True) by a model's own token probabilities, beside what it says; and changes of model.
-- hx: allow=add-check-without-not-valid reason=the new columns are null in every row, and no version that stores many rows was released yet

alter table checks
  add column prob_true_logprob double precision check (prob_true_logprob between 0 and 1),
  add column logprob_mass_other double precision check (logprob_mass_other between 0 and 1),
  add column n_readouts integer check (n_readouts >= 0),
  add column readouts_by_status_json jsonb,
  add column model_changed boolean;
comment on column checks.n_readouts is 'Null when no readout was asked for, 0 when none counts';

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

select hx.guard_table('readouts');
select hx.make_append_only('readouts');
