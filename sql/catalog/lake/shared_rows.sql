-- Of days that several databases exported, the newest revision of each row, without those that were deleted.
SELECT * FROM (
  SELECT *
  FROM lake.shared
  QUALIFY row_number() OVER (PARTITION BY dt, env, run_id ORDER BY revision DESC, filename DESC) = 1
)
WHERE deleted_at IS NULL;
