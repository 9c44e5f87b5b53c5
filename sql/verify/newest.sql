-- Each run as readers of the lake see it: its newest revision.
CREATE OR REPLACE TEMP TABLE newest AS
SELECT * EXCLUDE (filename, file_row_number, is_own)
FROM found
QUALIFY row_number() OVER (PARTITION BY run_id ORDER BY revision DESC, filename DESC) = 1;
