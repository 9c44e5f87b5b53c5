-- How many rows a day's files hold, how many runs, and how many rows that say that a run was deleted.
SELECT count(*), count(DISTINCT run_id), count(deleted_at) FROM input;
