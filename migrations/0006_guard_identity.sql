-- Nobody changes whose database this is by a plain statement: only a claim and the first migration do.

-- They say so for one transaction by naming it in hx.claim, so a setting that was left behind opens nothing. This
-- keeps out mistakes and restored data, not a superuser or the tables' owner: either can switch a trigger off.
create function hx.guard_identity() returns trigger language plpgsql as $$
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

-- As before, but where the identity is gone it names the command that makes it anew.
create or replace function hx.guard_statement() returns trigger language plpgsql as $$
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
  return null;
end
$$;

-- As before, with the environment's name spelt right: a placeholder of RAISE is a bare percent sign.
create or replace function hx.guard_row() returns trigger language plpgsql as $$
declare
  own text := (select env from hx.identity);
begin
  if (tg_op <> 'DELETE' and new.env is distinct from own) or (tg_op <> 'INSERT' and old.env is distinct from own) then
    raise exception 'A row of % belongs to another environment than this % database.', tg_table_name, own
      using errcode = 'HX001', hint = 'Each run writes only to the database of its own environment.';
  end if;
  return case tg_op when 'DELETE' then old else new end;
end
$$;
