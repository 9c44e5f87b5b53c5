-- Runs of the research lane: sweeps, appended one by one.
SELECT * FROM checks WHERE lane = 'research';
