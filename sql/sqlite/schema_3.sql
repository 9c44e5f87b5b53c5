-- Schema version 3 of the research store: executions by their run, as each one looks for others at work on the same.

create index executions_by_run on executions (run_id);

pragma user_version = 3;
