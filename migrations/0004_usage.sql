-- What each user may use and has used: a counter a period, and reservations for checks that are under way.

create table usage_ledger (
  user_id uuid not null references users on delete cascade,
  period_start date not null,
  period_end date,
  plan text not null check (plan in ('trial', 'starter', 'core', 'pro')),
  allowed integer not null check (allowed >= 0),
  used integer not null default 0 check (used >= 0),
  reserved integer not null default 0 check (reserved >= 0),
  updated_at timestamptz not null default now(),
  primary key (user_id, period_start),
  constraint usage_ledger_period_check check (period_end > period_start),
  constraint usage_ledger_allowance_check check (used + reserved <= allowed)
);
comment on column usage_ledger.period_start is 'First day of the calendar month in UTC; of the trial, the day it began';
comment on column usage_ledger.period_end is 'First day after the period; null for a trial, which has no end';
comment on column usage_ledger.allowed is 'Checks of the period; a downgrade leaves it at what is used and reserved';

create table usage_reservation (
  reservation_id uuid primary key default gen_random_uuid(),
  user_id uuid not null,
  period_start date not null,
  run_id uuid not null,
  checks integer not null default 1 check (checks > 0),
  state text not null default 'held' check (state in ('held', 'settled', 'refunded')),
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  ended_at timestamptz,
  foreign key (user_id, period_start) references usage_ledger on delete cascade,
  constraint usage_reservation_ended_check check ((state = 'held') = (ended_at is null)),
  constraint usage_reservation_expiry_check check (expires_at > created_at)
);
create index usage_reservation_period_idx on usage_reservation (user_id, period_start);
create index usage_reservation_run_id_idx on usage_reservation (run_id);
create index usage_reservation_held_idx on usage_reservation (expires_at) where state = 'held';

create table anonymous_usage (
  visitor_hash bytea not null check (octet_length(visitor_hash) = 32),
  period_start date not null,
  used integer not null default 0 check (used >= 0),
  updated_at timestamptz not null default now(),
  primary key (visitor_hash, period_start)
);
comment on column anonymous_usage.visitor_hash is 'Keyed hash of what tells visitors apart; nothing that leads back to one';
create index anonymous_usage_period_start_idx on anonymous_usage (period_start);

select hx.guard_table('usage_ledger');
select hx.guard_table('usage_reservation');
select hx.guard_table('anonymous_usage');

grant update on usage_ledger, usage_reservation to hx_app;
grant update, delete on anonymous_usage to hx_app;
