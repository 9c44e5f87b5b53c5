-- Which indexes cannot be used, did a REINDEX CONCURRENTLY leave them behind, and is somebody building them just now?
select format('%I.%I', n.nspname, c.relname) as name, c.relkind = 'I' as partitioned,
  c.relname ~ '_cc(new|old)\d*$' as leftover,
  (select p.pid from pg_catalog.pg_stat_progress_create_index p where p.index_relid = i.indexrelid) as builder
from pg_catalog.pg_index i
join pg_catalog.pg_class c on c.oid = i.indexrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where not i.indisvalid and n.nspname !~ '^pg_'
order by 1
