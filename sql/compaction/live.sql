-- The rows of a day that its compacted file is to hold.
CREATE TEMP VIEW live AS
SELECT * EXCLUDE (filename, file_row_number)
FROM input SEMI JOIN newest USING (filename, file_row_number);
