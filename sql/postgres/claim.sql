-- Makes this database the own one of an environment, with an identity made anew where there is none, and writes
-- down that it did.
with claimed as (
  insert into hx.identity (env, binding)
  values ($1, hx.binding())
  on conflict (singleton) do update
  set env = excluded.env, binding = excluded.binding, instance = gen_random_uuid(), claimed_at = now()
  returning env, binding
)
insert into hx.migration_event (kind, message)
select 'claimed', 'Claimed for ' || env || ' at ' || binding from claimed
