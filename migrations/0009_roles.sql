-- Who may do what: hx_owner owns every object, hx_migrate may act as it, hx_app writes rows, hx_export reads checks.
-- hx: allow=hidden-in-do-block reason=roles belong to the cluster and may be there already, and the columns to export follow a rule

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

alter schema hx owner to hx_owner;
alter table hx.identity owner to hx_owner;
alter table hx.migration owner to hx_owner;
alter table hx.migration_event owner to hx_owner;
alter table hx.migration_step owner to hx_owner;
alter function hx.binding() owner to hx_owner;
alter function hx.guard_statement() owner to hx_owner;
alter function hx.guard_row() owner to hx_owner;
alter function hx.guard_table(regclass) owner to hx_owner;
alter function hx.guard_identity() owner to hx_owner;
alter function hx.refuse_change() owner to hx_owner;
alter function hx.refuse_simulated() owner to hx_owner;
alter function hx.make_append_only(regclass, text[]) owner to hx_owner;
alter table users owner to hx_owner;
alter table sessions owner to hx_owner;
alter table email_tokens owner to hx_owner;
alter table mail_outbox owner to hx_owner;
alter table audit_log owner to hx_owner;
alter table requests owner to hx_owner;
alter table checks owner to hx_owner;
alter table attempts owner to hx_owner;
alter table readouts owner to hx_owner;
alter table result_cache owner to hx_owner;
alter table usage_ledger owner to hx_owner;
alter table usage_reservation owner to hx_owner;
alter table anonymous_usage owner to hx_owner;
alter table payments owner to hx_owner;
alter table stripe_event owner to hx_owner;

-- Whatever a session's search_path says, a guard calls what it means to call.
alter function hx.binding() set search_path = pg_catalog, pg_temp;
alter function hx.guard_statement() set search_path = pg_catalog, pg_temp;
alter function hx.guard_row() set search_path = pg_catalog, pg_temp;
alter function hx.guard_table(regclass) set search_path = pg_catalog, pg_temp;
alter function hx.guard_identity() set search_path = pg_catalog, pg_temp;
alter function hx.refuse_change() set search_path = pg_catalog, pg_temp;
alter function hx.refuse_simulated() set search_path = pg_catalog, pg_temp;
alter function hx.make_append_only(regclass, text[]) set search_path = pg_catalog, pg_temp;

-- A trigger calls its function without asking who may; everybody else calls binding() alone.
revoke execute on all functions in schema hx from public;
grant usage on schema hx to hx_migrate, hx_app, hx_export;
grant execute on function hx.binding() to hx_migrate, hx_app, hx_export;
grant select on hx.identity, hx.migration to hx_migrate, hx_app, hx_export;
grant select on hx.migration_step to hx_migrate;
grant select, insert on hx.migration_event to hx_migrate;

-- The application: no TRUNCATE anywhere, and rows that are never changed can only be added and read. Erasing a
-- person takes the person out of checks by their foreign keys, which act as the owner.
grant select, insert on checks, attempts, readouts, requests, audit_log to hx_app;
grant select, insert, update on usage_ledger, usage_reservation, payments, stripe_event to hx_app;
grant select, insert, update, delete
  on users, sessions, email_tokens, mail_outbox, result_cache, anonymous_usage to hx_app;

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

-- A table of a later migration can be added to and read by the application; more, and any export, is granted there.
alter default privileges for role hx_owner in schema public grant select, insert on tables to hx_app;
alter default privileges for role hx_owner revoke execute on functions from public;
