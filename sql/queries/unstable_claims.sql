-- Which claims depend on how they are put: whose wordings disagree most?
-- param min_iqr_logit double 0.3: Show claims whose mean interquartile range of wordings is beyond this, in logit
-- param env environments all: One environment, or all of them side by side
-- note: 0.3 is where the stability band turns low. The figures are means over the runs of one claim with one model
-- note: and bank; prob_true is the mean of logits, turned back.
-- example: min_iqr_logit=0.5 --param env=production
SELECT
  any_value(claim) AS claim,
  env,
  model,
  bank,
  simulated,
  count(*) AS runs,
  round(avg(template_iqr_logit), 4) AS iqr_logit,
  round(avg(stability_score), 4) AS stability,
  round(1 / (1 + exp(-avg(logit))), 4) AS prob_true,
  round(avg(ci_width), 4) AS ci_width
FROM checks
WHERE NOT was_cached AND $env::VARCHAR IN ('all', env)
GROUP BY claim_hash, env, model, bank, bank_hash, simulated
HAVING avg(template_iqr_logit) > $min_iqr_logit::DOUBLE
ORDER BY simulated, iqr_logit DESC, claim, env, model, bank;
