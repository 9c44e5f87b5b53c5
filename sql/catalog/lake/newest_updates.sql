-- Updated rows in their newest revision, without those that were deleted.
SELECT * FROM (
  SELECT *
  FROM lake.updates
  QUALIFY row_number() OVER (PARTITION BY dt, env, run_id ORDER BY revision DESC, filename DESC) = 1
)
WHERE deleted_at IS NULL;
