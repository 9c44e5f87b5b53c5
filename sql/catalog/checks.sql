-- Every measurement of both lanes and all environments, the newest revision of each.
SELECT * EXCLUDE (schema_version, filename) FROM lake.rows;
