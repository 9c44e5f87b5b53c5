-- How many measurements were taken a day, where and by which lane?
-- param since date 1970-01-01: The first day that counts
-- param env environments all: One environment, or all of them side by side
-- note: Days are UTC. runs holds what the cache answered too, from_cache says how many that were.
-- example: since=2026-11-01
SELECT
  dt AS day,
  env,
  lane,
  simulated,
  count(*) AS runs,
  count(*) FILTER (WHERE was_cached) AS from_cache,
  count(DISTINCT claim_hash) AS claims,
  sum(calls_made)::BIGINT AS calls,
  round(median(elapsed_ms) FILTER (WHERE NOT was_cached))::BIGINT AS median_ms
FROM checks
WHERE dt >= $since::DATE AND $env::VARCHAR IN ('all', env)
GROUP BY day, env, lane, simulated
ORDER BY simulated, day DESC, env, lane;
