-- What hx's roles are and may become: one row for each name, whether there is such a role or not.
select wanted.name,
  r.oid is not null as made,
  coalesce(r.rolcanlogin, false) as "canLogin",
  coalesce(r.rolsuper or r.rolcreaterole or r.rolcreatedb or r.rolreplication or r.rolbypassrls, false) as powerful,
  array_to_json(array(
    select m.roleid::regrole::text from pg_auth_members m
    where m.member = r.oid and m.set_option order by 1
  )) as "actsAs"
from unnest(array['hx_owner', 'hx_migrate', 'hx_app', 'hx_export']) as wanted (name)
left join pg_roles r on r.rolname = wanted.name
