-- Which environment a database belongs to, how it refuses other environments' writes, and what was applied to it.

create schema hx;
comment on schema hx is 'Identity, migrations and guards of hx; no measured or personal data';

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

create table hx.migration (
  number integer primary key check (number > 0),
  name text not null unique,
  hash text not null check (hash ~ '^[0-9a-f]{64}$'),
  applied_at timestamptz not null default now(),
  applied_by text not null default session_user,
  elapsed_ms double precision not null check (elapsed_ms >= 0),
  hx_version text not null
);
comment on table hx.migration is 'The migrations that were applied, each written in the transaction that applied it';
comment on column hx.migration.hash is 'SHA-256 of the file as it was applied';

create table hx.migration_event (
  event_id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  kind text not null check (kind in ('applied', 'failed', 'claimed')),
  number integer,
  message text not null,
  session_name text not null default current_setting('application_name')
);
comment on table hx.migration_event is 'What migrations and claims did, failures included';

-- Where this database lives: a Neon branch, or a database of one cluster. A copy gives another answer. Only
-- settings that no session can make up count, and those are the ones that pg_settings lists.
create function hx.binding() returns text language plpgsql stable as $$
declare
  project text := current_setting('neon.project_id', true);
  branch text := current_setting('neon.branch_id', true);
begin
  if project <> '' and branch <> '' and (
    select count(*) = 2 from pg_catalog.pg_settings
    where name in ('neon.project_id', 'neon.branch_id') and context in ('internal', 'postmaster')
  ) then
    return 'neon:' || project || '/' || branch;
  end if;
  return (
    select 'cluster:' || c.system_identifier || '/' || d.oid
    from pg_catalog.pg_control_system() c, pg_catalog.pg_database d
    where d.datname = pg_catalog.current_database()
  );
end
$$;

-- Every statement that writes must declare its environment, and this database must be that environment's own.
create function hx.guard_statement() returns trigger language plpgsql as $$
declare
  declared text := nullif(current_setting('hx.env', true), '');
  identity hx.identity;
begin
  select * into identity from hx.identity;
  if not found then
    raise exception 'This database has no identity, so nothing may write to it.'
      using errcode = 'HX001', hint = 'Run hx migrate.';
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
  return null;
end
$$;

-- A row belongs to the environment that it names, so it is written, changed and removed only there.
create function hx.guard_row() returns trigger language plpgsql as $$
declare
  own text := (select env from hx.identity);
begin
  if (tg_op <> 'DELETE' and new.env is distinct from own) or (tg_op <> 'INSERT' and old.env is distinct from own) then
    raise exception 'A row of % belongs to another environment than this %s database.', tg_table_name, own
      using errcode = 'HX001', hint = 'Each run writes only to the database of its own environment.';
  end if;
  return case tg_op when 'DELETE' then old else new end;
end
$$;

-- Puts the guard on a table: the row part too where rows name their environment. ALWAYS means that not even
-- session_replication_role switches it off.
create function hx.guard_table(target regclass) returns void language plpgsql as $$
begin
  execute format(
    'create trigger hx_guard_statement before insert or update or delete or truncate on %s
       for each statement execute function hx.guard_statement()', target);
  execute format('alter table %s enable always trigger hx_guard_statement', target);
  if exists (
    select from pg_catalog.pg_attribute where attrelid = target and attname = 'env' and not attisdropped
  ) then
    execute format(
      'create trigger hx_guard_row before insert or update or delete on %s
         for each row execute function hx.guard_row()', target);
    execute format('alter table %s enable always trigger hx_guard_row', target);
  end if;
end
$$;

-- Stored rows stay as they are. The columns named as arguments may become null, which erasing a person needs.
create function hx.refuse_change() returns trigger language plpgsql as $$
declare
  before jsonb;
  after jsonb;
  erasable text;
begin
  if tg_op = 'UPDATE' then
    before := to_jsonb(old);
    after := to_jsonb(new);
    foreach erasable in array tg_argv loop
      if after -> erasable = 'null'::jsonb then
        before := before - erasable;
        after := after - erasable;
      end if;
    end loop;
    if before = after then
      return new;
    end if;
  end if;
  raise exception 'Rows of % are never changed or removed.', tg_table_name
    using errcode = 'HX002', hint = 'Store a new row instead.';
end
$$;

create function hx.make_append_only(target regclass, variadic erasable text[] default '{}') returns void
language plpgsql as $$
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
