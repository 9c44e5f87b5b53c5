-- Which model stood behind a name, and since when?
-- param env environments all: One environment, or all of them side by side
-- note: model_resolved is the name that the provider gave in its answers. runs_mixed counts runs during which it, or
-- note: the serving behind it, changed; before schema version 2 that was not recorded.
-- example: env=production
SELECT
  model,
  model_resolved,
  env,
  simulated,
  min(created_at) AS first_seen,
  max(created_at) AS last_seen,
  count(*) AS runs,
  count(*) FILTER (WHERE model_changed) AS runs_mixed
FROM checks
WHERE NOT was_cached AND $env::VARCHAR IN ('all', env)
GROUP BY model, model_resolved, env, simulated
ORDER BY simulated, model, env, first_seen;
