-- What hangs on tables and views: constraints with the index that backs them, other indexes, triggers, rules,
-- policies and extended statistics.
with relation as (
  select c.oid, format('%I.%I', n.nspname, c.relname) as name
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'v', 'm', 'f')
    and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
),
backing as (
  select conindid as oid, oid as constraint_oid from pg_constraint where contype in ('p', 'u', 'x')
),
enforcement as (
  select tgconstraint as oid, jsonb_agg(distinct tgenabled) as fires from pg_trigger where tgisinternal group by tgconstraint
),
index as (
  select i.indrelid, c.oid, b.constraint_oid, format('%I.%I', n.nspname, c.relname) as name, jsonb_build_object(
    'definition', pg_get_indexdef(c.oid),
    'valid', i.indisvalid,
    'ready', i.indisready,
    'clustered', i.indisclustered,
    'replica identity', i.indisreplident,
    'statistics', (
      select jsonb_object_agg(a.attnum, a.attstattarget)
      from pg_attribute a where a.attrelid = c.oid and a.attstattarget >= 0
    )
  ) as definition
  from pg_index i
  join relation r on r.oid = i.indrelid
  join pg_class c on c.oid = i.indexrelid
  join pg_namespace n on n.oid = c.relnamespace
  left join backing b on b.oid = c.oid
)
select 'constraint' as kind, format('%s.%I', r.name, c.conname) as name, r.name as part_of,
  coalesce((select i.definition - 'definition' from index i where i.constraint_oid = c.oid), '{}') || jsonb_build_object(
    'definition', pg_get_constraintdef(c.oid),
    'validated', c.convalidated,
    'deferrable', c.condeferrable,
    'deferred', c.condeferred,
    'inherited only', c.coninhcount > 0 and not c.conislocal,
    -- A foreign key is enforced by hidden triggers, which can be disabled like others.
    'enforced by', e.fires,
    'index', (select i.definition ->> 'definition' from index i where i.constraint_oid = c.oid),
    'comment', obj_description(c.oid, 'pg_constraint')
  ) as definition
from pg_constraint c
join relation r on r.oid = c.conrelid
left join enforcement e on e.oid = c.oid
-- NOT NULL is a property of the column; later versions of Postgres list it here as well.
where c.contype not in ('n', 't')
union all
select 'index', i.name, r.name, i.definition || jsonb_build_object('comment', obj_description(i.oid, 'pg_class'))
from index i
join relation r on r.oid = i.indrelid
where i.constraint_oid is null
union all
select 'trigger', format('%s.%I', r.name, t.tgname), r.name, jsonb_build_object(
  'definition', pg_get_triggerdef(t.oid),
  'fires', t.tgenabled,
  'comment', obj_description(t.oid, 'pg_trigger')
)
from pg_trigger t
join relation r on r.oid = t.tgrelid
where not t.tgisinternal
union all
select 'rule', format('%s.%I', r.name, w.rulename), r.name, jsonb_build_object(
  'definition', pg_get_ruledef(w.oid),
  'fires', w.ev_enabled,
  'comment', obj_description(w.oid, 'pg_rewrite')
)
from pg_rewrite w
join relation r on r.oid = w.ev_class
where w.rulename <> '_RETURN'
union all
select 'policy', format('%s.%I', r.name, p.polname), r.name, jsonb_build_object(
  'permissive', p.polpermissive,
  'command', case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end,
  'roles', (
    select jsonb_agg(name order by name)
    from (select case role when 0 then 'PUBLIC' else pg_get_userbyid(role)::text end from unnest(p.polroles) role) as roles (name)
  ),
  'using', pg_get_expr(p.polqual, p.polrelid),
  'with check', pg_get_expr(p.polwithcheck, p.polrelid),
  'comment', obj_description(p.oid, 'pg_policy')
)
from pg_policy p
join relation r on r.oid = p.polrelid
union all
select 'statistics', format('%s.%I', s.stxnamespace::regnamespace, s.stxname), r.name, jsonb_build_object(
  'owner', pg_get_userbyid(s.stxowner),
  'definition', pg_get_statisticsobjdef(s.oid),
  'target', nullif(s.stxstattarget, -1),
  'comment', obj_description(s.oid, 'pg_statistic_ext')
)
from pg_statistic_ext s
join relation r on r.oid = s.stxrelid
