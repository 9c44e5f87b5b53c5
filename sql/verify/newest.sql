-- Each run as readers of the lake see it: its newest revision. A file that holds checks of other databases too counts
-- only with those that this one has.
CREATE OR REPLACE TEMP TABLE newest AS
SELECT * EXCLUDE (filename, file_row_number, is_own)
FROM found
WHERE run_id IN (SELECT run_id FROM stored UNION ALL SELECT run_id FROM found WHERE is_own)
QUALIFY row_number() OVER (PARTITION BY run_id ORDER BY revision DESC, filename DESC) = 1;
