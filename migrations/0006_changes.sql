-- A check says which change it is at, so that an export finds what was updated or deleted since the last one.
-- hx: allow=add-check-without-not-valid reason=every row gets the default, and no version that stores many rows was released yet

alter table checks
  add column revision integer not null default 0 check (revision >= 0),
  add column deleted_at timestamptz;
comment on column checks.revision is 'How often the row was changed since it was stored';
comment on column checks.deleted_at is 'When it was deleted, with the user whose it was; it stays as a mark until every export has seen it';
grant select (revision, deleted_at) on checks to hx_export;

-- Runs after hx_append_only, by its name: nobody else may set what it sets.
create function hx.stamp_change() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  new.xid := pg_current_xact_id();
  new.revision := old.revision + 1;
  return new;
end
$$;
create trigger hx_stamp_change before update on checks
  for each row execute function hx.stamp_change();
alter table checks enable always trigger hx_stamp_change;

-- The application may remove a user but not change a check, so this acts as the owner.
create function hx.delete_checks_of_user() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  update public.checks set deleted_at = now(), user_id = null
  where user_id = old.user_id and deleted_at is null;
  return old;
end
$$;
create trigger hx_delete_checks before delete on users
  for each row execute function hx.delete_checks_of_user();
alter table users enable always trigger hx_delete_checks;
