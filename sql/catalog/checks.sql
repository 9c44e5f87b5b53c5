-- Every measurement of both lanes and all environments, the newest row where files repeat a run.
-- Ranking only the repeated runs, which are rare, costs a fraction of ranking all of them.
WITH repeated AS (
  SELECT run_id FROM lake.rows GROUP BY run_id HAVING count(*) > 1
)
SELECT * EXCLUDE (schema_version, filename)
FROM lake.rows ANTI JOIN repeated USING (run_id)
UNION ALL BY NAME
SELECT * EXCLUDE (schema_version, filename)
FROM lake.rows SEMI JOIN repeated USING (run_id)
QUALIFY row_number() OVER (
  PARTITION BY env, run_id
  ORDER BY created_at DESC, schema_version DESC, filename DESC
) = 1;
