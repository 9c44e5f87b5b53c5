-- Every measurement of both lanes and all environments, the newest row where files repeat a run.
SELECT * EXCLUDE (schema_version, filename)
FROM lake.rows
QUALIFY row_number() OVER (
  PARTITION BY env, run_id
  ORDER BY created_at DESC, schema_version DESC, filename DESC
) = 1;
