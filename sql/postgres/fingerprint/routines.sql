-- Functions, procedures and aggregates.
select
  case p.prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end as kind,
  format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) as name,
  null as part_of,
  jsonb_build_object(
    'owner', pg_get_userbyid(p.proowner),
    'privileges', to_jsonb(coalesce(p.proacl, acldefault('f', p.proowner))::text[]),
    'comment', obj_description(p.oid, 'pg_proc'),
    'arguments', pg_get_function_arguments(p.oid),
    'returns', pg_get_function_result(p.oid),
    'language', (select lanname from pg_language where oid = p.prolang),
    'body', case when p.prokind <> 'a' then coalesce(pg_get_function_sqlbody(p.oid), p.prosrc) end,
    'library', p.probin,
    'window', p.prokind = 'w',
    'security', case when p.prosecdef then 'definer' else 'invoker' end,
    'settings', to_jsonb(p.proconfig),
    'volatility', case p.provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end,
    'strict', p.proisstrict,
    'leakproof', p.proleakproof,
    'parallel', case p.proparallel when 's' then 'safe' when 'r' then 'restricted' else 'unsafe' end,
    'cost', p.procost,
    'rows', p.prorows,
    'support', nullif(p.prosupport, 0)::regproc::text,
    'transforms', (select jsonb_agg(t::regtype::text) from unnest(p.protrftypes) t),
    'aggregate', (
      select to_jsonb(a) - 'aggfnoid'
        || jsonb_build_object(
          'aggtranstype', a.aggtranstype::regtype::text, 'aggmtranstype', nullif(a.aggmtranstype, 0)::regtype::text,
          'aggsortop', nullif(a.aggsortop, 0)::regoperator::text)
      from pg_aggregate a where a.aggfnoid = p.oid
    )
  ) as definition
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
  -- The constructors of a range type come and go with it.
  and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'i')
