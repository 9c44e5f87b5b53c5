-- How often does each model refuse, answer off schema or fail to answer?
-- param env environments all: One environment, or all of them side by side
-- param since date 1970-01-01: The first day that counts
-- note: Shares are of samples planned. Samples of one run share a claim, so runs, not samples, is the number that
-- note: says how much is known.
-- example: env=production
SELECT
  model,
  env,
  simulated,
  count(*) AS runs,
  count(DISTINCT claim_hash) AS claims,
  sum(n_samples)::BIGINT AS samples,
  round(sum(n_refused) / sum(n_samples), 4) AS refused_share,
  round(sum(n_invalid) / sum(n_samples), 4) AS invalid_share,
  round(sum(n_failed) / sum(n_samples), 4) AS failed_share,
  count(*) FILTER (WHERE n_refused > 0) AS runs_with_refusals
FROM checks
WHERE NOT was_cached AND $env::VARCHAR IN ('all', env) AND dt >= $since::DATE
GROUP BY model, env, simulated
ORDER BY simulated, refused_share DESC, runs DESC, model, env;
