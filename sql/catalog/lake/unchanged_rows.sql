-- The rows of days on which no row was updated since it was exported.
SELECT * FROM lake.unchanged;
