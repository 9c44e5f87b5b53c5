-- What did each model cost, in calls, tokens and US dollars?
-- param since date 1970-01-01
-- param env text all
SELECT
  model,
  env,
  lane,
  count(*) AS runs,
  sum(calls_made)::BIGINT AS calls,
  sum(tokens_in)::BIGINT AS tokens_in,
  sum(tokens_out)::BIGINT AS tokens_out,
  sum(cost_usd)::DECIMAL(18, 6) AS cost_usd,
  round(avg(cost_usd), 6) AS cost_per_run_usd,
  count(*) FILTER (WHERE cost_usd IS NULL) AS runs_without_price
FROM checks
WHERE NOT was_cached AND created_at >= $since::DATE AND $env::VARCHAR IN ('all', env)
GROUP BY model, env, lane
ORDER BY cost_usd DESC NULLS LAST, runs DESC, model, env, lane;
