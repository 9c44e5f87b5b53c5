-- Where does the probability that a model states differ from the one its tokens give?
-- param env environments all: One environment, or all of them together
-- param min_gap_logit double 0: Show claims whose logits are at least this far apart
-- note: Needs runs measured with --readout. Both figures are means of logits over the runs of one claim, model and
-- note: bank, turned back. mass_other is the token probability that fell on neither True nor False: where it is
-- note: large, the readout says little. outside says that the readout lies outside the 95 % interval of what is stated.
-- example: min_gap_logit=1
WITH beliefs AS (
  SELECT
    any_value(claim) AS claim,
    model,
    bank,
    simulated,
    count(*) AS runs,
    avg(logit) AS stated,
    avg(ln(greatest(ci_lo, 1e-6) / (1 - least(ci_lo, 1 - 1e-6)))) AS lo,
    avg(ln(greatest(ci_hi, 1e-6) / (1 - least(ci_hi, 1 - 1e-6)))) AS hi,
    avg(ln(greatest(prob_true_logprob, 1e-6) / (1 - least(prob_true_logprob, 1 - 1e-6)))) AS readout,
    avg(logprob_mass_other) AS mass_other
  FROM checks
  WHERE NOT was_cached AND prob_true_logprob IS NOT NULL AND $env::VARCHAR IN ('all', env)
  GROUP BY claim_hash, model, bank, bank_hash, simulated
)
SELECT
  claim,
  model,
  bank,
  simulated,
  runs,
  round(1 / (1 + exp(-stated)), 4) AS prob_stated,
  round(1 / (1 + exp(-readout)), 4) AS prob_readout,
  round(readout - stated, 4) AS logit_gap,
  round(mass_other, 4) AS mass_other,
  readout NOT BETWEEN lo AND hi AS outside
FROM beliefs
WHERE abs(readout - stated) >= $min_gap_logit::DOUBLE
ORDER BY simulated, abs(readout - stated) DESC, claim, model, bank;
