-- Schema version 2 of the research store: the logprob readout, and whether the model changed within a run.

alter table runs add column prob_true_logprob real;
alter table runs add column logprob_mass_other real;
alter table runs add column n_readouts integer;
alter table runs add column readouts_by_status_json text check (json_valid(readouts_by_status_json));
alter table runs add column model_changed integer check (model_changed in (0, 1));

-- One readout call, committed when it ended.
create table readouts (
  readout_id integer primary key,
  execution_id text not null references executions (execution_id),
  run_id text not null,
  readout_key text not null,
  template_id text not null,
  ordinal integer not null check (ordinal >= 1),
  status text not null check (status in ('valid', 'low_mass', 'no_logprobs', 'refused', 'failed')),
  prob_true real check (prob_true between 0 and 1),
  mass_true real check (mass_true between 0 and 1),
  mass_false real check (mass_false between 0 and 1),
  tokens_json text check (json_valid(tokens_json)),
  answer_text text,
  problem text,
  temperature real not null,
  model_resolved text,
  system_fingerprint text,
  tokens_in integer,
  tokens_out integer,
  started_at text not null,
  latency_ms real not null,
  check ((status = 'valid') = (prob_true is not null))
) strict;
create index readouts_by_key on readouts (readout_key);

-- Which readout answered which template of an execution, and whether an earlier run had paid for it.
create table execution_readouts (
  execution_id text not null references executions (execution_id),
  readout_key text not null,
  readout_id integer not null references readouts (readout_id),
  reused integer not null check (reused in (0, 1)),
  primary key (execution_id, readout_key)
) strict, without rowid;

pragma user_version = 2;
