-- Which claims depend on how they are put: whose templates disagree most?
-- param min_iqr_logit double 0.3
-- param env text all
SELECT
  any_value(claim) AS claim,
  model,
  count(*) AS runs,
  round(avg(template_iqr_logit), 4) AS mean_iqr_logit,
  round(avg(stability_score), 4) AS mean_stability,
  round(avg(prob_true_rpl), 4) AS mean_prob_true,
  round(avg(ci_width), 4) AS mean_ci_width
FROM checks
WHERE NOT was_cached AND $env::VARCHAR IN ('all', env)
GROUP BY claim_hash, model
HAVING avg(template_iqr_logit) > $min_iqr_logit::DOUBLE
ORDER BY mean_iqr_logit DESC, claim, model;
