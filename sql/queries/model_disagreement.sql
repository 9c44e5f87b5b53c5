-- On which claims do two models disagree most?
-- param env environments all: One environment, or all of them side by side
-- param min_gap_logit double 0: Show pairs whose logits are at least this far apart
-- note: Every pair of models that measured the same claim in the same environment with the same bank. The interval of
-- note: logit_gap (95 %) is made as in prior_shift, and differs says that it leaves 0 out; of many pairs, one in
-- note: twenty may do so by chance. Simulated and real models are never paired.
-- example: env=production --param min_gap_logit=1
WITH beliefs AS (
  SELECT
    env,
    claim_hash,
    any_value(claim) AS claim,
    model,
    bank,
    bank_hash,
    simulated,
    count(*) AS runs,
    avg(logit) AS centre,
    avg(ln(greatest(ci_lo, 1e-6) / (1 - least(ci_lo, 1 - 1e-6)))) AS lo,
    avg(ln(greatest(ci_hi, 1e-6) / (1 - least(ci_hi, 1 - 1e-6)))) AS hi
  FROM checks
  WHERE NOT was_cached AND $env::VARCHAR IN ('all', env)
  GROUP BY env, claim_hash, model, bank, bank_hash, simulated
),
pairs AS (
  SELECT
    a.claim,
    env,
    bank,
    simulated,
    a.model AS model_a,
    b.model AS model_b,
    a.runs AS runs_a,
    b.runs AS runs_b,
    a.centre AS centre_a,
    b.centre AS centre_b,
    b.centre - a.centre AS gap,
    b.centre - a.centre - sqrt(pow(b.centre - b.lo, 2) + pow(a.hi - a.centre, 2)) AS gap_lo,
    b.centre - a.centre + sqrt(pow(b.hi - b.centre, 2) + pow(a.centre - a.lo, 2)) AS gap_hi
  FROM beliefs AS a
  JOIN beliefs AS b USING (env, claim_hash, bank, bank_hash, simulated)
  WHERE a.model < b.model
)
SELECT
  claim,
  env,
  bank,
  simulated,
  model_a,
  model_b,
  runs_a,
  runs_b,
  round(1 / (1 + exp(-centre_a)), 4) AS prob_a,
  round(1 / (1 + exp(-centre_b)), 4) AS prob_b,
  round(gap, 4) AS logit_gap,
  round(gap_lo, 4) AS gap_lo,
  round(gap_hi, 4) AS gap_hi,
  gap_lo > 0 OR gap_hi < 0 AS differs
FROM pairs
WHERE abs(gap) >= $min_gap_logit::DOUBLE
ORDER BY simulated, abs(gap) DESC, claim, env, bank, model_a, model_b;
