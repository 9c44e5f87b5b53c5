-- What differs between the checks that were exported from the database and those that the lake shows.
WITH
exported AS (SELECT * EXCLUDE (is_exported) FROM stored WHERE is_exported),
shown AS (SELECT * FROM newest WHERE deleted_at IS NULL)
SELECT run_id, 'missing' AS problem
FROM exported ANTI JOIN newest USING (run_id)
WHERE deleted_at IS NULL
UNION ALL
SELECT run_id, 'not deleted'
FROM exported JOIN shown USING (run_id)
WHERE exported.deleted_at IS NOT NULL
UNION ALL
SELECT run_id, 'changed' FROM (
  SELECT * FROM exported WHERE deleted_at IS NULL AND run_id IN (SELECT run_id FROM newest)
  EXCEPT
  SELECT * FROM shown
)
UNION ALL
SELECT run_id, 'double' FROM found
GROUP BY run_id, revision HAVING count(*) > 1
UNION ALL
SELECT run_id, 'not in the database'
FROM shown ANTI JOIN stored USING (run_id)
ORDER BY ALL
