-- Every live row once: updated ones in their newest revision in place of all others, deleted ones not at all.
-- Parts without files are empty selects, which DuckDB drops together with their joins.
SELECT * FROM lake.unchanged
UNION ALL BY NAME
SELECT * FROM lake.changed ANTI JOIN lake.updates USING (env, run_id)
UNION ALL BY NAME
SELECT * FROM (
  SELECT *
  FROM lake.updates
  QUALIFY row_number() OVER (PARTITION BY dt, env, run_id ORDER BY revision DESC, filename DESC) = 1
)
WHERE deleted_at IS NULL
UNION ALL BY NAME
SELECT * FROM (
  SELECT *
  FROM lake.shared
  QUALIFY row_number() OVER (PARTITION BY dt, env, run_id ORDER BY revision DESC, filename DESC) = 1
)
WHERE deleted_at IS NULL;
