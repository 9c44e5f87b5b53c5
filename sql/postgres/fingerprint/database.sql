-- What belongs to the database as a whole: itself, its schemas, extensions, event triggers, publications and
-- default privileges.
select 'database' as kind, 'this database' as name, null as part_of, jsonb_build_object(
  'privileges', to_jsonb(coalesce(d.datacl, acldefault('d', d.datdba))::text[]),
  'settings', (
    select jsonb_object_agg(case s.setrole when 0 then 'everybody' else pg_get_userbyid(s.setrole) end, to_jsonb(s.setconfig))
    from pg_db_role_setting s
    where s.setdatabase = d.oid and (s.setrole = 0 or pg_get_userbyid(s.setrole) like 'hx\_%')
  )
) as definition
from pg_database d
where d.datname = current_database()
union all
select 'schema', format('%I', n.nspname), null, jsonb_build_object(
  'owner', pg_get_userbyid(n.nspowner),
  'privileges', to_jsonb(coalesce(n.nspacl, acldefault('n', n.nspowner))::text[]),
  'comment', obj_description(n.oid, 'pg_namespace')
)
from pg_namespace n
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_depend d where d.classid = 'pg_namespace'::regclass and d.objid = n.oid and d.deptype = 'e')
union all
select 'extension', format('%I', e.extname), null, jsonb_build_object(
  'version', e.extversion,
  'schema', e.extnamespace::regnamespace::text,
  'settings tables', (select jsonb_agg(c::regclass::text) from unnest(e.extconfig) c)
)
from pg_extension e
union all
select 'event trigger', format('%I', t.evtname), null, jsonb_build_object(
  'owner', pg_get_userbyid(t.evtowner),
  'event', t.evtevent,
  'function', t.evtfoid::regprocedure::text,
  'fires', t.evtenabled,
  'tags', to_jsonb(t.evttags),
  'comment', obj_description(t.oid, 'pg_event_trigger')
)
from pg_event_trigger t
where not exists (select from pg_depend d where d.classid = 'pg_event_trigger'::regclass and d.objid = t.oid and d.deptype = 'e')
union all
select 'publication', format('%I', p.pubname), null, jsonb_build_object(
  'owner', pg_get_userbyid(p.pubowner),
  'all tables', p.puballtables,
  'via root', p.pubviaroot,
  'operations', concat_ws(', ',
    case when p.pubinsert then 'insert' end, case when p.pubupdate then 'update' end,
    case when p.pubdelete then 'delete' end, case when p.pubtruncate then 'truncate' end),
  'tables', (
    select jsonb_agg(
      concat_ws(' ', r.prrelid::regclass, (
        select '(' || string_agg(format('%I', a.attname), ', ' order by a.attname) || ')'
        from pg_attribute a where a.attrelid = r.prrelid and a.attnum = any (r.prattrs)
      ), 'where ' || pg_get_expr(r.prqual, r.prrelid))
      order by r.prrelid::regclass::text)
    from pg_publication_rel r where r.prpubid = p.oid
  ),
  'schemas', (
    select jsonb_agg(s.pnnspid::regnamespace::text order by s.pnnspid::regnamespace::text)
    from pg_publication_namespace s where s.pnpubid = p.oid
  ),
  'comment', obj_description(p.oid, 'pg_publication')
)
from pg_publication p
union all
-- Those of logins count as one, and only where they give our roles or PUBLIC something; those of our roles always.
select 'default privileges', o.name, null, jsonb_build_object('privileges', jsonb_agg(o.item))
from (
  select
    concat_ws(' ',
      'of', case when pg_get_userbyid(a.defaclrole) like 'hx\_%' then pg_get_userbyid(a.defaclrole) else 'session owner' end,
      'on', case a.defaclobjtype
        when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions' when 'T' then 'types' else 'schemas'
      end,
      'in ' || nullif(a.defaclnamespace, 0)::regnamespace
    ) as name,
    item
  from pg_default_acl a
  left join lateral unnest(a.defaclacl::text[]) as item on true
  where pg_get_userbyid(a.defaclrole) like 'hx\_%' or exists (
    select from aclexplode(a.defaclacl) as e
    where e.grantee = 0 or pg_get_userbyid(e.grantee) like 'hx\_%'
  )
) as o
group by o.name
