-- Where the newest revision of each run of a day is, but for deleted ones. Only narrow columns are sorted.
CREATE TEMP TABLE newest AS
SELECT filename, file_row_number
FROM (
  SELECT filename, file_row_number, deleted_at
  FROM input
  QUALIFY row_number() OVER (PARTITION BY run_id ORDER BY revision DESC, filename DESC) = 1
)
WHERE deleted_at IS NULL;
