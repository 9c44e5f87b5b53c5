-- How far does a model's belief in the same claim differ between two environments?
-- param env_a text local
-- param env_b text production
WITH beliefs AS (
  SELECT
    env,
    claim_hash,
    any_value(claim) AS claim,
    model,
    simulated,
    count(*) AS runs,
    avg(logit) AS mean_logit,
    min(ci_lo) AS ci_lo,
    max(ci_hi) AS ci_hi
  FROM checks
  WHERE env IN ($env_a::VARCHAR, $env_b::VARCHAR) AND NOT was_cached
  GROUP BY env, claim_hash, model, simulated
)
SELECT
  a.claim,
  a.model,
  a.simulated,
  a.runs AS runs_a,
  b.runs AS runs_b,
  round(1 / (1 + exp(-a.mean_logit)), 4) AS prob_a,
  round(1 / (1 + exp(-b.mean_logit)), 4) AS prob_b,
  round(1 / (1 + exp(-b.mean_logit)) - 1 / (1 + exp(-a.mean_logit)), 4) AS prob_shift,
  round(b.mean_logit - a.mean_logit, 4) AS logit_shift,
  a.ci_hi < b.ci_lo OR b.ci_hi < a.ci_lo AS intervals_apart
FROM beliefs AS a
JOIN beliefs AS b USING (claim_hash, model, simulated)
WHERE a.env = $env_a::VARCHAR AND b.env = $env_b::VARCHAR
ORDER BY abs(b.mean_logit - a.mean_logit) DESC, a.claim, a.model;
