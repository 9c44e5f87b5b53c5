-- Of days with updated rows, those that were never updated.
SELECT * FROM lake.changed ANTI JOIN lake.updates USING (env, run_id);
