-- Schema version 4 of the research store: which process appends a run to the lake, so that no two ever do.

-- Runs on their way to the lake. A row goes when the run has arrived; one of a process that ended counts for nothing.
create table appends (
  run_id text not null primary key references runs (run_id),
  writer text not null
) strict, without rowid;

pragma user_version = 4;
