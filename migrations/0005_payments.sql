-- What was paid, and every event that Stripe sent about it, each taken once.

create table payments (
  payment_id uuid primary key default gen_random_uuid(),
  env text not null check (env in ('local', 'development', 'production')),
  user_id uuid references users on delete set null,
  stripe_customer_id text,
  stripe_object_id text not null unique,
  plan text not null check (plan in ('starter', 'core', 'pro')),
  amount_minor bigint not null check (amount_minor >= 0),
  currency text not null check (currency ~ '^[a-z]{3}$'),
  status text not null check (status in ('open', 'paid', 'failed', 'refunded')),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
comment on column payments.amount_minor is 'In the smallest unit of the currency, cents for most';
comment on column payments.user_id is 'Null once the account is erased; the payment itself must be kept';
create index payments_user_id_idx on payments (user_id, created_at);
create index payments_stripe_customer_id_idx on payments (stripe_customer_id);

create table stripe_event (
  event_id text primary key,
  env text not null check (env in ('local', 'development', 'production')),
  type text not null,
  payload jsonb not null,
  received_at timestamptz not null default now(),
  processed_at timestamptz,
  problem text
);
create index stripe_event_waiting_idx on stripe_event (received_at) where processed_at is null;

select hx.guard_table('payments');
select hx.guard_table('stripe_event');

grant update on payments, stripe_event to hx_app;
