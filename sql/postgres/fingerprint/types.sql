-- Enums, domains with their constraints, composite types, ranges and base types.
with type as (
  select t.*, format('%I.%I', n.nspname, t.typname) as name
  from pg_type t
  join pg_namespace n on n.oid = t.typnamespace
  left join pg_class c on c.oid = t.typrelid
  -- Arrays, multiranges and the row types of tables come and go with what they belong to.
  where (t.typtype in ('e', 'd', 'r', 'b') or t.typtype = 'c' and c.relkind = 'c') and t.typelem = 0
    and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and not exists (select from pg_depend d where d.classid = 'pg_type'::regclass and d.objid = t.oid and d.deptype in ('e', 'i') and t.typtype <> 'c')
)
select
  case t.typtype when 'e' then 'enum' when 'd' then 'domain' when 'c' then 'composite type' when 'r' then 'range' else 'type' end as kind,
  t.name,
  null as part_of,
  jsonb_build_object(
    'owner', pg_get_userbyid(t.typowner),
    'privileges', to_jsonb(coalesce(t.typacl, acldefault('T', t.typowner))::text[]),
    'comment', obj_description(t.oid, 'pg_type'),
    'labels', (select jsonb_agg(e.enumlabel order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid)
  ) || case t.typtype
    when 'd' then jsonb_build_object(
      'base', format_type(t.typbasetype, t.typtypmod), 'not null', t.typnotnull, 'default', t.typdefault,
      'collation', nullif(t.typcollation, 0)::regcollation::text)
    when 'c' then jsonb_build_object('attributes', (
      select jsonb_agg(
        concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod), 'collate ' || nullif(a.attcollation, 0)::regcollation)
        order by a.attnum)
      from pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped))
    when 'r' then (
      select jsonb_build_object(
        'of', r.rngsubtype::regtype::text, 'multirange', r.rngmultitypid::regtype::text,
        'collation', nullif(r.rngcollation, 0)::regcollation::text, 'canonical', r.rngcanonical::text,
        'difference', r.rngsubdiff::text, 'operators', (select opcname from pg_opclass where oid = r.rngsubopc))
      from pg_range r where r.rngtypid = t.oid)
    when 'b' then jsonb_build_object(
      'input', t.typinput::text, 'output', t.typoutput::text, 'length', t.typlen, 'alignment', t.typalign, 'storage', t.typstorage)
    else '{}'
  end as definition
from type t
union all
select 'constraint', format('%s.%I', t.name, c.conname), t.name, jsonb_build_object(
  'definition', pg_get_constraintdef(c.oid),
  'validated', c.convalidated,
  'comment', obj_description(c.oid, 'pg_constraint')
)
from pg_constraint c
join type t on t.oid = c.contypid
where c.contype <> 'n'
