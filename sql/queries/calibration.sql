-- Do claims that a model believes at 80 % turn out true four times in five?
-- param labels labels: JSON Lines file of claims with their truth: {"claim": "...", "truth": true}
-- param bins integer 5: Into how many equal steps of probability to sort the claims
-- param env environments all: One environment, or all of them together
-- note: hx reads the file and binds it as data; the engine itself reads the lake only. Claims are matched as they
-- note: were measured, and every claim counts once a model and bank, however often it ran. true_lo to true_hi is the
-- note: 95 % Wilson interval of true_share; differs says that mean_stated lies outside it. The row `all` is the model
-- note: over all its claims. Brier score and log loss: 0 is best, 0.25 and 0.6931 are those of always saying 50 %.
-- example: labels=data/claims/known.jsonl
WITH labels AS (
  SELECT label.claim_hash, label.truth
  FROM (
    SELECT unnest(from_json($labels::VARCHAR, '[{"claim_hash": "VARCHAR", "truth": "BOOLEAN"}]')) AS label
  )
),
beliefs AS (
  SELECT
    model,
    bank,
    simulated,
    count(*) AS runs,
    1 / (1 + exp(-avg(logit))) AS stated,
    any_value(truth) AS truth
  FROM checks
  JOIN labels USING (claim_hash)
  WHERE NOT was_cached AND $env::VARCHAR IN ('all', env)
  GROUP BY claim_hash, model, bank, bank_hash, simulated
),
binned AS (
  SELECT *, least(floor(stated * $bins::INTEGER), $bins::INTEGER - 1) AS bin FROM beliefs
),
scored AS (
  SELECT
    model,
    bank,
    simulated,
    bin,
    count(*) AS claims,
    sum(runs)::BIGINT AS runs,
    avg(stated) AS mean_stated,
    avg(truth::INTEGER) AS true_share,
    (avg(truth::INTEGER) + pow(1.959964, 2) / (2 * count(*))) / (1 + pow(1.959964, 2) / count(*)) AS middle,
    1.959964
    * sqrt(avg(truth::INTEGER) * (1 - avg(truth::INTEGER)) / count(*) + pow(1.959964 / (2 * count(*)), 2))
    / (1 + pow(1.959964, 2) / count(*)) AS half_width,
    avg(pow(stated - truth::INTEGER, 2)) AS brier,
    avg(-ln(CASE WHEN truth THEN stated ELSE 1 - stated END)) AS log_loss
  FROM binned
  GROUP BY GROUPING SETS ((model, bank, simulated, bin), (model, bank, simulated))
)
SELECT
  model,
  bank,
  simulated,
  CASE
    WHEN bin IS NULL THEN 'all'
    ELSE format('{:.2f} to {:.2f}', bin / $bins::INTEGER, (bin + 1) / $bins::INTEGER)
  END AS stated,
  claims,
  runs,
  round(mean_stated, 4) AS mean_stated,
  round(true_share, 4) AS true_share,
  round(middle - half_width, 4) AS true_lo,
  round(middle + half_width, 4) AS true_hi,
  mean_stated NOT BETWEEN middle - half_width AND middle + half_width AS differs,
  round(brier, 4) AS brier,
  round(log_loss, 4) AS log_loss
FROM scored
ORDER BY simulated, model, bank, bin NULLS LAST;
