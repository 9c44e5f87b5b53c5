-- Which relations hold rows, whose are they, what of each goes into a dump in which order, and why is the rest left
-- out?
select format('%I.%I', n.nspname, c.relname) as name,
  case
    when n.nspname = 'hx' then 'identity and migrations: every database keeps its own'
    when d.objid is not null then 'belongs to an extension'
    when c.relkind = 'm' then 'a materialized view: REFRESH fills it'
    when c.relkind = 'f' then 'a foreign table: its rows are elsewhere'
  end as left_out,
  quote_ident(n.nspname) as schema,
  case when not pg_has_role(n.nspowner, 'USAGE') and not has_schema_privilege(n.oid, 'USAGE') then pg_get_userbyid(n.nspowner) end as schema_stranger,
  case when not pg_has_role(c.relowner, 'USAGE') then pg_get_userbyid(c.relowner) end as stranger,
  -- The rows of partitions come with their parent, those of other children do not.
  c.relkind = 'r' as only,
  to_jsonb(columns.copied) as copied, to_jsonb(columns.renewed) as renewed, to_jsonb(columns.computed) as computed,
  to_jsonb(
    coalesce(keys.keys, array[format('row(%s)::text collate "C"', array_to_string(columns.copied, ', '))])
  ) as keys,
  to_jsonb(array(
    select distinct format('%I.%I', rn.nspname, r.relname)
    from pg_constraint f
    join pg_class r on r.oid = f.confrelid
    join pg_namespace rn on rn.oid = r.relnamespace
    where f.conrelid = c.oid and f.contype = 'f' and f.confrelid <> c.oid and not f.condeferrable
  )) as refers_to
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
left join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
cross join lateral (
  select
    coalesce(array_agg(a.name order by a.attnum) filter (where not a.renewed and not a.computed), '{}') as copied,
    coalesce(array_agg(a.name order by a.attnum) filter (where a.renewed), '{}') as renewed,
    coalesce(array_agg(a.name order by a.attnum) filter (where a.computed), '{}') as computed
  from (
    select attnum, quote_ident(attname) as name, attgenerated <> '' as computed,
      -- Numbers of transactions mean something in their own cluster alone.
      atttypid in ('xid'::regtype, 'xid8'::regtype, 'pg_snapshot'::regtype) and attgenerated = '' as renewed
    from pg_attribute
    where attrelid = c.oid and attnum > 0 and not attisdropped
  ) as a
) as columns
left join lateral (
  select array_agg(
    quote_ident(a.attname) || case when a.attcollation <> 0 then ' collate "C"' else '' end order by k.position
  ) as keys
  from pg_index i
  cross join lateral unnest(i.indkey::smallint[]) with ordinality as k (attnum, position)
  join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
  where i.indrelid = c.oid and i.indisprimary
) as keys on true
where c.relkind in ('r', 'p', 'm', 'f') and not c.relispartition and c.relpersistence <> 't'
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
order by n.nspname collate "C", c.relname collate "C"
