-- Who uses hx: accounts, their sign-in, the mail they get and what was done to them.

create table users (
  user_id uuid primary key default gen_random_uuid(),
  email text not null check (email = btrim(email) and position('@' in email) > 1),
  plan text not null default 'trial' check (plan in ('trial', 'starter', 'core', 'pro')),
  status text not null default 'active' check (status in ('active', 'suspended', 'closed')),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create unique index users_email_key on users (lower(email));

create table sessions (
  session_id uuid primary key default gen_random_uuid(),
  user_id uuid not null references users on delete cascade,
  token_hash bytea not null unique check (octet_length(token_hash) = 32),
  created_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  expires_at timestamptz not null,
  revoked_at timestamptz,
  check (expires_at > created_at)
);
comment on column sessions.token_hash is 'SHA-256 of the cookie; the token itself is stored nowhere';
create index sessions_user_id_idx on sessions (user_id);
create index sessions_expires_at_idx on sessions (expires_at);

create table email_tokens (
  token_hash bytea primary key check (octet_length(token_hash) = 32),
  email text not null check (position('@' in email) > 1),
  nonce_hash bytea not null check (octet_length(nonce_hash) = 32),
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  consumed_at timestamptz,
  revoked_at timestamptz,
  check (expires_at > created_at),
  check (consumed_at is null or revoked_at is null)
);
comment on column email_tokens.nonce_hash is 'SHA-256 of the cookie of the browser that asked for the link';
create index email_tokens_pending_idx on email_tokens (lower(email))
  where consumed_at is null and revoked_at is null;
create index email_tokens_expires_at_idx on email_tokens (expires_at);

create table mail_outbox (
  mail_id uuid primary key default gen_random_uuid(),
  user_id uuid references users on delete cascade,
  recipient text not null check (position('@' in recipient) > 1),
  template text not null,
  variables jsonb not null default '{}',
  state text not null default 'queued' check (state in ('queued', 'sent', 'failed')),
  attempts integer not null default 0 check (attempts >= 0),
  next_attempt_at timestamptz not null default now(),
  last_error text,
  created_at timestamptz not null default now(),
  sent_at timestamptz,
  check ((state = 'sent') = (sent_at is not null))
);
create index mail_outbox_queued_idx on mail_outbox (next_attempt_at) where state = 'queued';
create index mail_outbox_user_id_idx on mail_outbox (user_id);

create table audit_log (
  audit_id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  user_id uuid references users on delete set null,
  action text not null check (action <> ''),
  subject text,
  details jsonb not null default '{}'
);
create index audit_log_user_id_idx on audit_log (user_id, at);
create index audit_log_at_idx on audit_log (at);

select hx.guard_table('users');
select hx.guard_table('sessions');
select hx.guard_table('email_tokens');
select hx.guard_table('mail_outbox');
select hx.guard_table('audit_log');
select hx.make_append_only('audit_log', 'user_id');

grant update, delete on users, sessions, email_tokens, mail_outbox to hx_app;
