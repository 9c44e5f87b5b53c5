-- Which session, of any database of the server, is in a transaction, or under which name it was prepared.
select $1::text as transaction, pid, null as prepared, datname as database, usename as login
from pg_catalog.pg_stat_activity
where backend_xid = $1::text::xid8::xid
union all
select $1, null, gid, database, owner
from pg_catalog.pg_prepared_xacts
where transaction = $1::text::xid8::xid
