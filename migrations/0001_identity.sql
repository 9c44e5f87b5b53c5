-- Whose objects these are, which environment a database belongs to, how it refuses other environments' writes, and
-- what was applied to it.
-- hx: allow=hidden-in-do-block reason=roles belong to the cluster and may be there already
-- hx: allow=session-setting reason=what this makes is the owner's from the start, until the transaction ends
-- hx: allow=integer-primary-key reason=the number of a migration has four digits and is given by hand

-- Who may do what: hx_owner owns every object, hx_migrate may act as it, hx_app writes rows, hx_export reads checks.
-- Roles belong to the cluster, while databases that share one are migrated apart and at once, and a branch comes
-- with the roles of its origin. None of them logs in: logins are members of them.
do $$
declare
  wanted text;
  login text := current_user;
  is_superuser boolean := (select rolsuper from pg_catalog.pg_roles where rolname = current_user);
begin
  foreach wanted in array array['hx_owner', 'hx_migrate', 'hx_app', 'hx_export'] loop
    if not exists (select from pg_catalog.pg_roles where rolname = wanted) then
      begin
        execute format('create role %I nologin', wanted);
      exception
        -- Another database of the cluster was migrated in the same moment.
        when duplicate_object or unique_violation then null;
        when insufficient_privilege then
          raise exception 'The login % may not make the role %.', login, wanted
            using errcode = 'HX005',
              hint = format('Give it that right with ALTER ROLE %I CREATEROLE, and run hx migrate again.', login);
      end;
    end if;
    -- A superuser is a member of everything; another login must be one to give its objects away.
    if not is_superuser and not (
      pg_catalog.pg_has_role(login, wanted, 'SET') and pg_catalog.pg_has_role(login, wanted, 'USAGE')
    ) then
      begin
        execute format('grant %I to %I with set true, inherit true', wanted, login);
      exception when insufficient_privilege then
        raise exception 'The login % is not a member of the role %, which another login made.', login, wanted
          using errcode = 'HX005',
            hint = format('Have that login run GRANT %I TO %I WITH ADMIN TRUE, SET TRUE, INHERIT TRUE, and run hx migrate again.', wanted, login);
      end;
    end if;
  end loop;

  -- It acts as the owner when it says so, not by itself.
  if not pg_catalog.pg_has_role('hx_migrate', 'hx_owner', 'SET') then
    begin
      grant hx_owner to hx_migrate with set true, inherit false;
    exception when insufficient_privilege then
      raise exception 'The login % may not let hx_migrate act as hx_owner.', login
        using errcode = 'HX005',
          hint = format('Have the login that made the roles run GRANT hx_owner TO %I WITH ADMIN TRUE, SET TRUE, INHERIT TRUE, and run hx migrate again.', login);
    end;
  end if;

  execute format('grant create on database %I to hx_owner', current_database());
end
$$;

revoke create on schema public from public;
grant usage, create on schema public to hx_owner;
grant usage on schema public to hx_migrate, hx_app, hx_export;

-- From here on everything belongs to the owner; hx migrate acts as it from the next migration on.
set local role hx_owner;

-- The application adds to a table and reads it; more, and any export, is granted table by table: no TRUNCATE
-- anywhere. A trigger calls its function without asking who may.
alter default privileges for role hx_owner in schema public grant select, insert on tables to hx_app;
alter default privileges for role hx_owner revoke execute on functions from public;

create schema hx;
comment on schema hx is 'Identity, migrations and guards of hx; no measured or personal data';
grant usage on schema hx to hx_migrate, hx_app, hx_export;

create table hx.identity (
  singleton boolean primary key default true check (singleton),
  env text not null check (env in ('local', 'development', 'production')),
  binding text not null check (binding <> ''),
  instance uuid not null default gen_random_uuid(),
  created_at timestamptz not null default now(),
  claimed_at timestamptz not null default now()
);
comment on table hx.identity is 'One row: the environment of this database, bound to the place where it lives';
comment on column hx.identity.binding is 'hx.binding() when it was claimed; a copy of the database has another one';

grant select on hx.identity to hx_migrate, hx_app, hx_export;

create table hx.migration (
  number integer primary key check (number > 0),
  name text not null unique,
  hash text not null check (hash ~ '^[0-9a-f]{64}$'),
  semantic_hash text not null check (semantic_hash ~ '^[0-9a-f]{64}$'),
  mode text not null check (mode in ('tx', 'steps')),
  fingerprint_before text not null check (fingerprint_before ~ '^[0-9a-f]{64}$'),
  fingerprint_after text not null check (fingerprint_after ~ '^[0-9a-f]{64}$'),
  plan_hash text not null check (plan_hash ~ '^[0-9a-f]{64}$'),
  applied_at timestamptz not null default now(),
  applied_by text not null default session_user,
  elapsed_ms double precision not null check (elapsed_ms >= 0),
  hx_version text not null
);
comment on table hx.migration is 'The migrations that were applied, each written in the transaction that applied it';
comment on column hx.migration.hash is 'SHA-256 of the file as it was applied';
comment on column hx.migration.semantic_hash is 'SHA-256 of its statements without comments and white space';
comment on column hx.migration.mode is 'tx: one transaction; steps: one statement after the other';
comment on column hx.migration.fingerprint_before is 'Fingerprint of the schema before it ran';
comment on column hx.migration.fingerprint_after is 'Fingerprint of the schema that it left';
comment on column hx.migration.plan_hash is 'Hash of the plan of which it was a part';
grant select on hx.migration to hx_migrate, hx_app, hx_export;

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

grant select on hx.migration_step to hx_migrate;

create table hx.migration_event (
  event_id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  kind text not null check (kind in ('applied', 'failed', 'claimed', 'resumed', 'repaired', 'baselined')),
  number integer,
  message text not null,
  session_name text not null default current_setting('application_name')
);
comment on table hx.migration_event is 'What migrations and claims did, failures included';
grant select, insert on hx.migration_event to hx_migrate;

-- Where this database lives: a database of a Neon branch, or of a cluster. A copy gives another answer. Neon's
-- settings count only where they are real: one that a session made up has the flag NO_SHOW_ALL, and those of Neon
-- change with the server alone. Nothing of this changes while a session lasts, and to ask takes longer than to
-- write a row; so it is IMMUTABLE, and each session asks once for each plan that it keeps.
create function hx.binding() returns text language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
  return (
    select case
      when current_setting('neon.project_id', true) <> '' and current_setting('neon.branch_id', true) <> ''
        and 'NO_SHOW_ALL' <> all (pg_settings_get_flags('neon.project_id') || pg_settings_get_flags('neon.branch_id'))
      then 'neon:' || current_setting('neon.project_id') || '/' || current_setting('neon.branch_id')
      else 'cluster:' || (select system_identifier from pg_control_system())
    end || '/' || oid
    from pg_database where datname = current_database()
  );
end
$$;
grant execute on function hx.binding() to hx_migrate, hx_app, hx_export;

-- The environment whose own database this is; null for a copy that nobody claimed, or without an identity. Only for
-- the WHEN clauses of triggers: a claim may change the answer, but IMMUTABLE makes Postgres ask once a statement
-- there instead of once a row. Names are written in full, as setting a search path would cost more than the query.
create function hx.guarded_environment() returns text language plpgsql immutable as $$
begin
  return (select i.env from hx.identity i where i.binding operator(pg_catalog.=) hx.binding());
end
$$;
grant execute on function hx.guarded_environment() to hx_migrate, hx_app;

-- Says why this session may not write here, if that is so.
create function hx.refuse_stranger() returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  declared text := nullif(current_setting('hx.env', true), '');
  identity hx.identity;
begin
  select * into identity from hx.identity;
  if not found then
    raise exception 'This database has no identity, so nothing may write to it.'
      using errcode = 'HX001', hint = 'Run hx db claim, which makes it anew.';
  end if;
  if declared is null then
    raise exception 'This session did not declare an environment; the database is for %.', identity.env
      using errcode = 'HX001', hint = 'Write through hx, which declares it with every transaction.';
  end if;
  if declared <> identity.env then
    raise exception 'This session is for %, but the database is for %.', declared, identity.env
      using errcode = 'HX001', hint = 'Each run writes only to the database of its own environment.';
  end if;
  if identity.binding <> hx.binding() then
    raise exception 'This database is an unclaimed copy of the % database.', identity.env
      using errcode = 'HX001', hint = 'Run hx db claim to make it a database of its own.';
  end if;
end
$$;
grant execute on function hx.refuse_stranger() to hx_migrate, hx_app;

-- Every statement that writes must declare its environment, and this database must be that environment's own.
create function hx.guard_statement() returns trigger language plpgsql as $$
begin
  if (
    select i.env operator(pg_catalog.=) pg_catalog.current_setting('hx.env', true)
    from hx.identity i where i.binding operator(pg_catalog.=) hx.binding()
  ) then
    return null;
  end if;
  perform hx.refuse_stranger();
  raise exception 'This session may not write here.' using errcode = 'HX001';
end
$$;

-- Fires only for a row that must not be written. Rows are asked about too, as they come without a statement on their
-- own table where that is a part of another, and from a subscription.
create function hx.guard_row() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  perform hx.refuse_stranger();
  raise exception 'A row of % belongs to another environment than this % database.', tg_table_name, current_setting('hx.env')
    using errcode = 'HX001', hint = 'Each run writes only to the database of its own environment.';
end
$$;

-- Puts the guard on a table, or what it lacks of it. Where rows name their environment, each belongs to it, so it is
-- written, changed and removed only there; the name is compared with the database's own too, as a statement can
-- change what it declared while it runs. ALWAYS means that not even session_replication_role switches a guard off.
create function hx.guard_table(target regclass) returns void language plpgsql
set search_path = pg_catalog, pg_temp as $$
declare
  has_env boolean := exists (
    select from pg_attribute where attrelid = target and attname = 'env' and not attisdropped
  );
  event text;
  allowed text;
begin
  execute format(
    'create or replace trigger hx_guard_statement before insert or update or delete or truncate on %s
       for each statement execute function hx.guard_statement()', target);
  execute format('alter table %s enable always trigger hx_guard_statement', target);
  foreach event in array array['insert', 'update', 'delete'] loop
    allowed := case
      when not has_env then 'current_setting(''hx.env'', true) = hx.guarded_environment()'
      when event = 'insert' then
        'new.env = hx.guarded_environment() and new.env = current_setting(''hx.env'', true)'
      else 'old.env = hx.guarded_environment() and old.env = current_setting(''hx.env'', true)'
    end || case when has_env and event = 'update' then ' and new.env = old.env' else '' end;
    execute format(
      'create or replace trigger hx_guard_%s before %s on %s
         for each row when ((%s) is not true) execute function hx.guard_row()', event, event, target, allowed);
    execute format('alter table %s enable always trigger hx_guard_%s', target, event);
  end loop;
end
$$;

-- Nobody changes whose database this is by a plain statement: only a claim and the first migration do. They say so
-- for one transaction by naming it in hx.claim, so a setting that was left behind opens nothing. This keeps out
-- mistakes and restored data, not a superuser or the tables' owner: either can switch a trigger off.
create function hx.guard_identity() returns trigger language plpgsql
set search_path = pg_catalog, pg_temp as $$
begin
  if tg_op in ('INSERT', 'UPDATE') and current_setting('hx.claim', true) = pg_current_xact_id()::text then
    return new;
  end if;
  raise exception 'The identity of a database is changed only by hx db claim, and never removed.'
    using errcode = 'HX004', hint = 'A copy of a database gets an identity of its own with hx db claim.';
end
$$;

create trigger hx_guard_identity before insert or update or delete on hx.identity
  for each row execute function hx.guard_identity();
alter table hx.identity enable always trigger hx_guard_identity;
create trigger hx_guard_identity_truncate before truncate on hx.identity
  for each statement execute function hx.guard_identity();
alter table hx.identity enable always trigger hx_guard_identity_truncate;

-- Stored rows stay as they are. The columns named as arguments may become null, which erasing a person needs, and a
-- row that has the column deleted_at may be marked as deleted, once and for good.
create function hx.refuse_change() returns trigger language plpgsql
set search_path = pg_catalog, pg_temp as $$
declare
  before jsonb;
  after jsonb;
  erasable text;
begin
  if tg_op = 'UPDATE' then
    before := to_jsonb(old);
    after := to_jsonb(new);
    -- Without arguments there is no array, over which FOREACH would fail.
    foreach erasable in array coalesce(tg_argv, '{}') loop
      if after -> erasable = 'null'::jsonb then
        before := before - erasable;
        after := after - erasable;
      end if;
    end loop;
    if before -> 'deleted_at' = 'null'::jsonb then
      before := before - 'deleted_at'::text;
      after := after - 'deleted_at'::text;
    end if;
    if before = after then
      return new;
    end if;
  end if;
  raise exception 'Rows of % are never changed or removed.', tg_table_name
    using errcode = 'HX002', hint = 'Store a new row instead.';
end
$$;

create function hx.make_append_only(target regclass, variadic erasable text[] default '{}') returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  execute format(
    'create trigger hx_append_only before update or delete on %s
       for each row execute function hx.refuse_change(%s)',
    target, (select string_agg(quote_literal(name), ', ') from unnest(erasable) as name));
  execute format('alter table %s enable always trigger hx_append_only', target);
  execute format(
    'create trigger hx_append_only_truncate before truncate on %s
       for each statement execute function hx.refuse_change()', target);
  execute format('alter table %s enable always trigger hx_append_only_truncate', target);
end
$$;
