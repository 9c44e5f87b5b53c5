-- Makes this database the own one of an environment, and writes down that it did.
with claimed as (
  update hx.identity
  set env = $1, binding = hx.binding(), instance = gen_random_uuid(), claimed_at = now()
  returning env, binding
)
insert into hx.migration_event (kind, message)
select 'claimed', 'Claimed for ' || env || ' at ' || binding from claimed
