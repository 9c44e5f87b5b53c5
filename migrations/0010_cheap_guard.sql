-- The guard asked a view of all settings, and later a list of questions, with every statement; now it asks one.

-- As before, but where Neon's settings are real is read off the setting itself: one that a session made up has the
-- flag NO_SHOW_ALL, and those of Neon change with the server alone. A database of a branch is not another one there.
create or replace function hx.binding() returns text language plpgsql stable set search_path = pg_catalog, pg_temp as $$
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
-- A database that was claimed under the shorter name is still the one it was.
select set_config('hx.claim', pg_current_xact_id()::text, true);
update hx.identity set binding = hx.binding() where hx.binding() like binding || '/%';

-- As before, with every question in one query while nothing is wrong.
create or replace function hx.guard_statement() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  declared text;
  own text;
  bound boolean;
begin
  select nullif(current_setting('hx.env', true), ''), env, binding = hx.binding()
  into declared, own, bound
  from hx.identity;
  if declared = own and bound then
    return null;
  end if;
  if own is null then
    raise exception 'This database has no identity, so nothing may write to it.'
      using errcode = 'HX001', hint = 'Run hx db claim, which makes it anew.';
  end if;
  if declared is null then
    raise exception 'This session did not declare an environment; the database is for %.', own
      using errcode = 'HX001', hint = 'Write through hx, which declares it with every transaction.';
  end if;
  if declared <> own then
    raise exception 'This session is for %, but the database is for %.', declared, own
      using errcode = 'HX001', hint = 'Each run writes only to the database of its own environment.';
  end if;
  raise exception 'This database is an unclaimed copy of the % database.', own
    using errcode = 'HX001', hint = 'Run hx db claim to make it a database of its own.';
end
$$;
