-- How often does each model refuse, answer off schema or fail to answer?
-- param env text all
SELECT
  model,
  count(*) AS runs,
  sum(n_samples)::BIGINT AS samples,
  round(sum(n_refused) / sum(n_samples), 4) AS refused_share,
  round(sum(n_invalid) / sum(n_samples), 4) AS invalid_share,
  round(sum(n_failed) / sum(n_samples), 4) AS failed_share,
  count(*) FILTER (WHERE n_refused > 0) AS runs_with_refusals
FROM checks
WHERE NOT was_cached AND $env::VARCHAR IN ('all', env)
GROUP BY model
ORDER BY refused_share DESC, model;
