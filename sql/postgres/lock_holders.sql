-- Who holds the migration lock of this database?
select a.pid, a.application_name, a.client_addr::text as client, to_char(a.backend_start at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS"Z"') as since
from pg_catalog.pg_locks l
join pg_catalog.pg_stat_activity a using (pid)
where l.locktype = 'advisory' and l.granted and l.database = (select oid from pg_catalog.pg_database where datname = current_database())
  and l.classid::bigint = $1 and l.objid::bigint = $2
