-- How does a model's belief in each claim move from week to week?
-- param env text all
WITH weeks AS (
  SELECT
    claim_hash,
    any_value(claim) AS claim,
    env,
    model,
    simulated,
    date_trunc('week', created_at)::DATE AS week,
    count(*) AS runs,
    avg(logit) AS mean_logit
  FROM checks
  WHERE NOT was_cached AND $env::VARCHAR IN ('all', env)
  GROUP BY claim_hash, env, model, simulated, week
)
SELECT
  claim,
  env,
  model,
  simulated,
  week,
  runs,
  round(1 / (1 + exp(-mean_logit)), 4) AS prob_true,
  round(mean_logit - lag(mean_logit) OVER history, 4) AS logit_change
FROM weeks
WINDOW history AS (PARTITION BY claim_hash, env, model, simulated ORDER BY week)
ORDER BY claim, env, model, simulated, week;
