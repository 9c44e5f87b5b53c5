-- How far does a model's belief in the same claim differ between two environments?
-- param env_a environment local: The environment to start from
-- param env_b environment production: The environment to compare with it
-- note: Compared are the same claim, model and bank of wordings. The belief of several runs is the mean of their
-- note: logits, and its interval the mean of theirs: it does not narrow with repeats, which share their wordings.
-- note: shift_lo to shift_hi is the 95 % interval of logit_shift (MOVER, Zou and Donner 2008); wordings in common
-- note: make it wider than it has to be, never too narrow. differs says that it leaves 0 out.
-- example: env_b=development
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
  WHERE env IN ($env_a::VARCHAR, $env_b::VARCHAR) AND NOT was_cached
  GROUP BY env, claim_hash, model, bank, bank_hash, simulated
),
shifts AS (
  SELECT
    a.claim,
    model,
    bank,
    simulated,
    a.runs AS runs_a,
    b.runs AS runs_b,
    a.centre AS centre_a,
    b.centre AS centre_b,
    b.centre - a.centre AS shift,
    b.centre - a.centre - sqrt(pow(b.centre - b.lo, 2) + pow(a.hi - a.centre, 2)) AS shift_lo,
    b.centre - a.centre + sqrt(pow(b.hi - b.centre, 2) + pow(a.centre - a.lo, 2)) AS shift_hi
  FROM beliefs AS a
  JOIN beliefs AS b USING (claim_hash, model, bank, bank_hash, simulated)
  WHERE a.env = $env_a::VARCHAR AND b.env = $env_b::VARCHAR
)
SELECT
  claim,
  model,
  bank,
  simulated,
  runs_a,
  runs_b,
  round(1 / (1 + exp(-centre_a)), 4) AS prob_a,
  round(1 / (1 + exp(-centre_b)), 4) AS prob_b,
  round(shift, 4) AS logit_shift,
  round(shift_lo, 4) AS shift_lo,
  round(shift_hi, 4) AS shift_hi,
  shift_lo > 0 OR shift_hi < 0 AS differs
FROM shifts
ORDER BY simulated, abs(shift) DESC, claim, model, bank;
