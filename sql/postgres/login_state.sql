-- Who may act as the application and as the owner of its guards: the login in use, and every other one that is no
-- administrator, whose right that is anyway.
select r.rolname as login, quote_ident(r.rolname) as quoted, r.rolname = session_user as "inUse", r.rolsuper as superuser
from pg_roles r
join pg_roles app on app.rolname = 'hx_app'
join pg_roles owner on owner.rolname = 'hx_owner'
where r.rolcanlogin and r.rolname not in ('hx_owner', 'hx_migrate', 'hx_app', 'hx_export') and (r.rolname = session_user or not (r.rolsuper or r.rolcreaterole))
  and pg_has_role(r.oid, app.oid, 'USAGE, SET')
  and pg_has_role(r.oid, owner.oid, 'USAGE, SET, MEMBER WITH ADMIN OPTION')
order by "inUse" desc, r.rolname collate "C"
