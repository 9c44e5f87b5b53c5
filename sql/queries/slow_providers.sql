-- Which providers and models keep us waiting, and which need retries?
-- param env environments all: One environment, or all of them side by side
-- param since date 1970-01-01: The first day that counts
-- note: Runs that made no call are left out. ms_per_call is the wall time of a run by its calls, so it falls with
-- note: HX_CONCURRENCY. calls_per_sample is of runs without --readout, whose calls are no samples: beyond 1 are retries,
-- note: of samples that were not reused.
-- example: since=2026-11-01
SELECT
  split_part(model, '/', 1) AS provider,
  model,
  env,
  simulated,
  count(*) AS runs,
  sum(calls_made)::BIGINT AS calls,
  round(median(elapsed_ms))::BIGINT AS median_ms,
  round(quantile_cont(elapsed_ms, 0.95))::BIGINT AS p95_ms,
  round(median(elapsed_ms / calls_made), 1) AS median_ms_per_call,
  round(
    sum(calls_made) FILTER (WHERE n_readouts IS NULL)
    / nullif(sum(n_samples - samples_reused) FILTER (WHERE n_readouts IS NULL), 0),
    4
  ) AS calls_per_sample,
  round(sum(n_failed) / sum(n_samples), 4) AS failed_share
FROM checks
WHERE
  NOT was_cached
  AND calls_made > 0
  AND $env::VARCHAR IN ('all', env)
  AND dt >= $since::DATE
GROUP BY model, env, simulated
ORDER BY simulated, median_ms DESC, model, env;
