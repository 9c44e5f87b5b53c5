-- How many measurements were taken a day, where and by which lane?
-- param since date 1970-01-01
SELECT
  created_at::DATE AS day,
  env,
  lane,
  count(*) AS runs,
  count(DISTINCT claim_hash) AS claims,
  sum(calls_made)::BIGINT AS calls,
  round(quantile_cont(elapsed_ms, 0.5), 0) AS median_elapsed_ms
FROM checks
WHERE created_at >= $since::DATE
GROUP BY day, env, lane
ORDER BY day DESC, env, lane;
