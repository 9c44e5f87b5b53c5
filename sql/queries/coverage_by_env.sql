-- Which claims were measured in which environment, and where are they missing?
-- param model text all: One model, by its full name
-- note: One row a claim and model. missing_in names the environments without a run of that claim by that model;
-- note: results taken from the cache are no runs.
-- example: model=openai/gpt-5-mini
SELECT
  any_value(claim) AS claim,
  model,
  simulated,
  count(*) FILTER (WHERE env = 'local') AS runs_local,
  count(*) FILTER (WHERE env = 'development') AS runs_development,
  count(*) FILTER (WHERE env = 'production') AS runs_production,
  max(created_at)::DATE AS last_measured,
  concat_ws(
    ', ',
    CASE WHEN count(*) FILTER (WHERE env = 'local') = 0 THEN 'local' END,
    CASE WHEN count(*) FILTER (WHERE env = 'development') = 0 THEN 'development' END,
    CASE WHEN count(*) FILTER (WHERE env = 'production') = 0 THEN 'production' END
  ) AS missing_in
FROM checks
WHERE NOT was_cached AND $model::VARCHAR IN ('all', model)
GROUP BY claim_hash, model, simulated
ORDER BY simulated, last_measured DESC, claim, model;
