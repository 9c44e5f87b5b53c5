-- Is there an index of this name on the table, and can it be used?
select i.indisvalid as valid, format('%I.%I', n.nspname, c.relname) as name
from pg_catalog.pg_index i
join pg_catalog.pg_class c on c.oid = i.indexrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relname = $1 and i.indrelid = to_regclass($2)
