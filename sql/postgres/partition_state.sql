-- Is a table still a partition of another, and was detaching it begun?
select inhdetachpending as pending
from pg_catalog.pg_inherits
where inhparent = to_regclass($1) and inhrelid = to_regclass($2)
