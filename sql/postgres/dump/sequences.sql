-- Which sequences number rows of the data?
select format('%I.%I', n.nspname, c.relname) as name,
  -- Whoever owns the table of a column owns the sequence behind it.
  case
    when not pg_has_role(c.relowner, 'USAGE') and not exists (
      select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype in ('a', 'i')
    ) then pg_get_userbyid(c.relowner)
  end as stranger
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'S' and c.relpersistence <> 't'
  and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'hx')
  and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
order by n.nspname collate "C", c.relname collate "C"
