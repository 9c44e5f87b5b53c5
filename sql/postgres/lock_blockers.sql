-- Whom does this backend wait for?
select a.pid, coalesce(nullif(a.application_name, ''), a.backend_type) as application,
  to_char(coalesce(a.xact_start, a.query_start) at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS"Z"') as since
from unnest(pg_catalog.pg_blocking_pids($1)) as b (pid)
join pg_catalog.pg_stat_activity a using (pid)
order by a.xact_start nulls last
