-- What share of users' checks was answered from the cache, and what did that save?
-- param since date 1970-01-01: The first day that counts
-- note: saved_usd adds up what the runs cost whose results were used again; those without a known price, or not
-- note: exported to this lake, are counted in hits_without_price.
-- example: since=2026-11-01
WITH hits AS (
  SELECT dt, env, simulated, was_cached, cached_from
  FROM operational_checks
  WHERE dt >= $since::DATE
),
prices AS (
  SELECT env, run_id, cost_usd
  FROM operational_checks
  WHERE NOT was_cached AND run_id IN (SELECT cached_from FROM hits WHERE was_cached)
)
SELECT
  hits.dt AS day,
  hits.env,
  simulated,
  count(*) AS checks,
  count(*) FILTER (WHERE was_cached) AS from_cache,
  round(count(*) FILTER (WHERE was_cached) / count(*), 4) AS hit_rate,
  coalesce(sum(cost_usd) FILTER (WHERE was_cached), 0)::DECIMAL(18, 6) AS saved_usd,
  count(*) FILTER (WHERE was_cached AND cost_usd IS NULL) AS hits_without_price
FROM hits
LEFT JOIN prices ON was_cached AND prices.env = hits.env AND prices.run_id = hits.cached_from
GROUP BY day, hits.env, simulated
ORDER BY simulated, day DESC, hits.env;
