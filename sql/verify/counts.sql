-- How many checks of a day are in the database and in the lake, and a sum over all values of each. Checks that wait
-- for an export count on neither side.
WITH
exported AS (SELECT * EXCLUDE (is_exported) FROM stored WHERE is_exported AND deleted_at IS NULL),
shown AS (
  SELECT * FROM newest
  WHERE deleted_at IS NULL AND run_id NOT IN (SELECT run_id FROM stored WHERE NOT is_exported)
)
SELECT
  (SELECT count(*) FROM exported) AS in_database,
  (SELECT format('{:016x}', coalesce(bit_xor(hash(*COLUMNS(*))), 0::UBIGINT)) FROM exported) AS database_checksum,
  (SELECT count(*) FROM shown) AS in_lake,
  (SELECT format('{:016x}', coalesce(bit_xor(hash(*COLUMNS(*))), 0::UBIGINT)) FROM shown) AS lake_checksum,
  (SELECT count(*) FROM stored WHERE NOT is_exported) AS waiting
