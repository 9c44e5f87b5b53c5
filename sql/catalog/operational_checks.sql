-- Checks of the operational lane: what users asked for, as exported from Postgres.
SELECT * FROM checks WHERE lane = 'operational';
