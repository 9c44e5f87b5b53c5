-- Which wordings do models refuse or answer off schema most?
-- param env environments all: One environment, or all of them together
-- param min_samples integer 1: Leave out wordings with fewer samples than this
-- note: A sample is refused, usable, or other: off schema, cut short or without any answer. A wording that is
-- note: refused far more often than its neighbours biases the estimate, since refusals are never filled in.
-- example: env=production --param min_samples=20
WITH alike AS (
  SELECT model, bank, simulated, counts_by_template_json::VARCHAR AS counts, count(*) AS runs
  FROM checks
  WHERE NOT was_cached AND $env::VARCHAR IN ('all', env)
  GROUP BY model, bank, simulated, counts
),
templates AS (
  SELECT
    model,
    bank,
    simulated,
    runs,
    unnest(
      map_entries(
        CAST(counts::JSON AS MAP(VARCHAR, MAP(VARCHAR, INTEGER)))
      )
    ) AS entry
  FROM alike
)
SELECT
  model,
  bank,
  simulated,
  entry.key AS template,
  sum(runs)::BIGINT AS runs,
  sum(runs * list_sum(map_values(entry.value)))::BIGINT AS samples,
  round(sum(runs * coalesce(entry.value['refused'], 0)) / nullif(samples, 0), 4) AS refused_share,
  round(sum(runs * coalesce(entry.value['other'], 0)) / nullif(samples, 0), 4) AS other_share
FROM templates
GROUP BY model, bank, simulated, template
HAVING samples >= $min_samples::INTEGER
ORDER BY simulated, refused_share DESC, other_share DESC, model, bank, template;
