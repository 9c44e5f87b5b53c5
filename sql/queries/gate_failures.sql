-- How often does each quality gate fail, by model and prompt bank?
-- param env text all
SELECT
  model,
  bank,
  count(*) AS runs,
  count(*) FILTER (WHERE NOT gate_compliance) AS compliance_failed,
  count(*) FILTER (WHERE NOT gate_stability) AS stability_failed,
  count(*) FILTER (WHERE NOT gate_width) AS width_failed,
  round(count(*) FILTER (WHERE NOT (gate_compliance AND gate_stability AND gate_width)) / count(*), 4)
    AS failed_share
FROM checks
WHERE NOT was_cached AND $env::VARCHAR IN ('all', env)
GROUP BY model, bank
ORDER BY failed_share DESC, runs DESC, model, bank;
