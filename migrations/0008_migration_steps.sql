-- What was proven with each migration, and how far one came that runs one statement after the other.
-- hx: allow=add-check-without-not-valid reason=the ledger has one row a migration
-- hx: allow=validate-under-lock reason=the diary has a few rows a migration

alter table hx.migration
  add column semantic_hash text check (semantic_hash ~ '^[0-9a-f]{64}$'),
  add column mode text check (mode in ('tx', 'steps')),
  add column fingerprint_before text check (fingerprint_before ~ '^[0-9a-f]{64}$'),
  add column fingerprint_after text check (fingerprint_after ~ '^[0-9a-f]{64}$'),
  add column plan_hash text check (plan_hash ~ '^[0-9a-f]{64}$');
comment on column hx.migration.semantic_hash is 'SHA-256 of its statements without comments and white space';
comment on column hx.migration.mode is 'tx: one transaction; steps: one statement after the other';
comment on column hx.migration.fingerprint_before is 'Fingerprint of the schema before it ran';
comment on column hx.migration.fingerprint_after is 'Fingerprint of the schema that it left';
comment on column hx.migration.plan_hash is 'Hash of the plan of which it was a part';

create table hx.migration_step (
  number integer not null check (number > 0),
  step integer not null check (step > 0),
  statement text not null,
  statement_hash text not null check (statement_hash ~ '^[0-9a-f]{64}$'),
  fingerprint_before text not null check (fingerprint_before ~ '^[0-9a-f]{64}$'),
  started_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz,
  primary key (number, step)
);
comment on table hx.migration_step is 'The statements of migrations in steps, each written down before it runs and once it has';
comment on column hx.migration_step.number is 'The migration; its row in hx.migration follows after its last step';
comment on column hx.migration_step.statement_hash is 'SHA-256 of the statement without comments and white space';
comment on column hx.migration_step.fingerprint_before is 'Fingerprint of the schema before the step ran';

alter table hx.migration_event drop constraint migration_event_kind_check;
alter table hx.migration_event add constraint migration_event_kind_check
  check (kind in ('applied', 'failed', 'claimed', 'resumed', 'repaired', 'baselined')) not valid;
alter table hx.migration_event validate constraint migration_event_kind_check;
