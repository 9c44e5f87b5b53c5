-- What became of one claim, wherever and whenever it was measured?
-- param claim text: The claim or a part of it, in capitals or not
-- param env environments all: One environment, or all of them
-- note: One row a measurement, newest first; results that the cache gave are left out.
-- example: claim=tides
SELECT
  created_at,
  claim,
  env,
  lane,
  model,
  bank,
  simulated,
  round(prob_true_rpl, 4) AS prob_true,
  round(ci_lo, 4) AS ci_lo,
  round(ci_hi, 4) AS ci_hi,
  verdict,
  stability_band,
  gate_compliance AND gate_stability AND gate_width AS gates_ok,
  run_id
FROM checks
WHERE
  NOT was_cached
  AND contains(lower(claim), lower($claim::VARCHAR))
  AND $env::VARCHAR IN ('all', env)
ORDER BY created_at DESC, run_id;
