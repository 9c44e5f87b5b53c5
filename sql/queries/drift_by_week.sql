-- How does a model's belief in each claim move from week to week?
-- param env environments all: One environment, or all of them side by side
-- param since date 1970-01-01: The first day that counts
-- note: Weeks begin on Monday, UTC. A week is compared with the week before it in which the claim was measured with
-- note: the same model and bank, weeks_apart says how far back that is. change_lo to change_hi is the 95 % interval
-- note: of logit_change, made as in prior_shift; moved says that it leaves 0 out. Of many rows, one in twenty may do
-- note: so by chance.
-- example: env=production --param since=2026-09-01
WITH weeks AS (
  SELECT
    claim_hash,
    any_value(claim) AS claim,
    env,
    model,
    bank,
    bank_hash,
    simulated,
    date_trunc('week', dt)::DATE AS week,
    count(*) AS runs,
    avg(logit) AS centre,
    avg(ln(greatest(ci_lo, 1e-6) / (1 - least(ci_lo, 1 - 1e-6)))) AS lo,
    avg(ln(greatest(ci_hi, 1e-6) / (1 - least(ci_hi, 1 - 1e-6)))) AS hi
  FROM checks
  WHERE NOT was_cached AND $env::VARCHAR IN ('all', env) AND dt >= $since::DATE
  GROUP BY claim_hash, env, model, bank, bank_hash, simulated, week
),
steps AS (
  SELECT
    *,
    centre - lag(centre) OVER history AS change,
    sqrt(pow(centre - lo, 2) + pow(lag(hi - centre) OVER history, 2)) AS below,
    sqrt(pow(hi - centre, 2) + pow(lag(centre - lo) OVER history, 2)) AS above,
    (week - lag(week) OVER history) // 7 AS weeks_apart
  FROM weeks
  WINDOW history AS (PARTITION BY claim_hash, env, model, bank_hash, simulated ORDER BY week)
)
SELECT
  claim,
  env,
  model,
  bank,
  simulated,
  week,
  runs,
  round(1 / (1 + exp(-centre)), 4) AS prob_true,
  weeks_apart,
  round(change, 4) AS logit_change,
  round(change - below, 4) AS change_lo,
  round(change + above, 4) AS change_hi,
  change - below > 0 OR change + above < 0 AS moved
FROM steps
ORDER BY simulated, claim, env, model, bank, week;
