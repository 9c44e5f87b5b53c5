-- What did each model cost, in calls, tokens and US dollars?
-- param env environments all: One environment, or all of them side by side
-- param since date 1970-01-01: The first day that counts
-- param until date 9999-12-31: The first day that no longer counts
-- note: What the cache answered cost nothing and is left out. cost_usd adds up the runs whose price is known;
-- note: runs_without_price counts the others, and cost_per_run_usd is the mean over those with a price.
-- example: since=2026-11-01 --param until=2026-12-01
SELECT
  model,
  env,
  lane,
  simulated,
  count(*) AS runs,
  sum(calls_made)::BIGINT AS calls,
  sum(tokens_in)::BIGINT AS tokens_in,
  sum(tokens_out)::BIGINT AS tokens_out,
  sum(cost_usd)::DECIMAL(18, 6) AS cost_usd,
  round(avg(cost_usd), 6) AS cost_per_run_usd,
  count(*) FILTER (WHERE cost_usd IS NULL) AS runs_without_price
FROM checks
WHERE
  NOT was_cached
  AND dt >= $since::DATE
  AND dt < $until::DATE
  AND $env::VARCHAR IN ('all', env)
GROUP BY model, env, lane, simulated
ORDER BY simulated, cost_usd DESC NULLS LAST, runs DESC, model, env, lane;
