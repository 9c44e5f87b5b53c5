-- How often does each quality gate fail, by model and prompt bank?
-- param env environments all: One environment, or all of them side by side
-- param since date 1970-01-01: The first day that counts
-- note: The gates: compliance at least 0.98, stability at least 0.25, interval no wider than 0.30. failed_share counts
-- note: runs that failed at least one.
-- example: env=production
SELECT
  model,
  bank,
  env,
  simulated,
  count(*) AS runs,
  count(*) FILTER (WHERE NOT gate_compliance) AS compliance_failed,
  count(*) FILTER (WHERE NOT gate_stability) AS stability_failed,
  count(*) FILTER (WHERE NOT gate_width) AS width_failed,
  round(count(*) FILTER (WHERE NOT (gate_compliance AND gate_stability AND gate_width)) / count(*), 4)
    AS failed_share
FROM checks
WHERE NOT was_cached AND $env::VARCHAR IN ('all', env) AND dt >= $since::DATE
GROUP BY model, bank, env, simulated
ORDER BY simulated, failed_share DESC, runs DESC, model, bank, env;
