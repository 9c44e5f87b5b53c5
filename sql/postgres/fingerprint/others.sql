-- Whatever else a schema can hold (casts, operators, languages, foreign servers, ...), by name only.
select o.type as kind, o.identity as name, null as part_of, '{}'::jsonb as definition
from (
  select 'pg_cast'::regclass as class, oid from pg_cast
  union all select 'pg_operator'::regclass, oid from pg_operator
  union all select 'pg_opclass'::regclass, oid from pg_opclass
  union all select 'pg_opfamily'::regclass, oid from pg_opfamily
  union all select 'pg_am'::regclass, oid from pg_am
  union all select 'pg_collation'::regclass, oid from pg_collation
  union all select 'pg_conversion'::regclass, oid from pg_conversion
  union all select 'pg_language'::regclass, oid from pg_language
  union all select 'pg_transform'::regclass, oid from pg_transform
  union all select 'pg_ts_config'::regclass, oid from pg_ts_config
  union all select 'pg_ts_dict'::regclass, oid from pg_ts_dict
  union all select 'pg_ts_parser'::regclass, oid from pg_ts_parser
  union all select 'pg_ts_template'::regclass, oid from pg_ts_template
  union all select 'pg_foreign_data_wrapper'::regclass, oid from pg_foreign_data_wrapper
  union all select 'pg_foreign_server'::regclass, oid from pg_foreign_server
) as found
cross join lateral pg_identify_object(found.class, found.oid, 0) as o
-- The first number that Postgres gives to what users make.
where found.oid >= 16384
  and not exists (select from pg_depend d where d.classid = found.class and d.objid = found.oid and d.deptype in ('e', 'i'))
