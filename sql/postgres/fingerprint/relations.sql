-- Tables, views, sequences and the columns of those that have any, in the order of the columns that are left.
with relation as (
  select c.*, format('%I.%I', n.nspname, c.relname) as name
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
    and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
)
select
  case r.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'f' then 'foreign table' else 'table' end as kind,
  r.name,
  null as part_of,
  jsonb_build_object(
    'owner', pg_get_userbyid(r.relowner),
    'privileges', to_jsonb(coalesce(r.relacl, acldefault('r', r.relowner))::text[]),
    'comment', obj_description(r.oid, 'pg_class'),
    'columns', (
      select jsonb_agg(a.attname order by a.attnum)
      from pg_attribute a where a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
    ),
    'query', case when r.relkind in ('v', 'm') then pg_get_viewdef(r.oid) end,
    'filled', case when r.relkind = 'm' then r.relispopulated end,
    'persistence', case r.relpersistence when 'u' then 'unlogged' when 't' then 'temporary' else 'permanent' end,
    'row level security', r.relrowsecurity,
    'row level security for the owner', r.relforcerowsecurity,
    'options', to_jsonb(r.reloptions),
    'of type', nullif(r.reloftype, 0)::regtype::text,
    'access method', (select amname from pg_am where oid = r.relam),
    'replica identity', r.relreplident,
    'partitioned by', case when r.relkind = 'p' then pg_get_partkeydef(r.oid) end,
    'partition', case when r.relispartition then pg_get_expr(r.relpartbound, r.oid) end,
    'inherits', (
      select jsonb_agg(i.inhparent::regclass::text order by i.inhseqno) from pg_inherits i where i.inhrelid = r.oid
    ),
    'server', (
      select s.srvname || coalesce(' ' || f.ftoptions::text, '')
      from pg_foreign_table f join pg_foreign_server s on s.oid = f.ftserver where f.ftrelid = r.oid
    )
  ) as definition
from relation r
where r.relkind <> 'S'
union all
select 'column', format('%s.%I', r.name, a.attname), r.name, jsonb_build_object(
  'type', format_type(a.atttypid, a.atttypmod),
  'not null', a.attnotnull,
  'default', case when a.attgenerated = '' then pg_get_expr(d.adbin, d.adrelid) end,
  'generated', case when a.attgenerated <> '' then pg_get_expr(d.adbin, d.adrelid) end,
  'identity', case a.attidentity when 'a' then 'always' when 'd' then 'by default' end,
  'collation', case when a.attcollation <> t.typcollation then a.attcollation::regcollation::text end,
  'storage', case when a.attstorage <> t.typstorage then a.attstorage end,
  'compression', nullif(a.attcompression, ''),
  'statistics', nullif(a.attstattarget, -1),
  'options', to_jsonb(a.attoptions),
  'foreign options', to_jsonb(a.attfdwoptions),
  'privileges', to_jsonb(a.attacl::text[]),
  'comment', col_description(r.oid, a.attnum)
)
from relation r
join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
join pg_type t on t.oid = a.atttypid
left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where r.relkind <> 'S'
union all
select 'sequence', r.name, own.refobjid::regclass::text, jsonb_build_object(
  'owner', pg_get_userbyid(r.relowner),
  'privileges', to_jsonb(coalesce(r.relacl, acldefault('s', r.relowner))::text[]),
  'comment', obj_description(r.oid, 'pg_class'),
  'persistence', case r.relpersistence when 'u' then 'unlogged' else 'permanent' end,
  'type', s.seqtypid::regtype::text,
  'start', s.seqstart::text,
  'increment', s.seqincrement::text,
  'minimum', s.seqmin::text,
  'maximum', s.seqmax::text,
  'cache', s.seqcache::text,
  'cycle', s.seqcycle,
  'owned by', (
    select a.attname from pg_attribute a where a.attrelid = own.refobjid and a.attnum = own.refobjsubid
  )
)
from relation r
join pg_sequence s on s.seqrelid = r.oid
left join pg_depend own on own.classid = 'pg_class'::regclass and own.objid = r.oid and own.objsubid = 0
  and own.refclassid = 'pg_class'::regclass and own.refobjsubid > 0 and own.deptype in ('a', 'i')
