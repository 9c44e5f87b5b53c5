-- What share of users' checks was answered from the cache, by day?
-- param since date 1970-01-01
SELECT
  created_at::DATE AS day,
  env,
  count(*) AS checks,
  count(*) FILTER (WHERE was_cached) AS from_cache,
  round(count(*) FILTER (WHERE was_cached) / count(*), 4) AS hit_rate
FROM operational_checks
WHERE created_at >= $since::DATE
GROUP BY day, env
ORDER BY day DESC, env;
