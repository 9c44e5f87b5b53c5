-- Every stored attempt for the wanted samples (a JSON array of sample keys), oldest first.
select attempt_id, run_id, sample_key, template_id, replicate, ordinal, status, prob_true, answer_text, problem,
  model_resolved, system_fingerprint, tokens_in, tokens_out, started_at, latency_ms
from attempts
where sample_key in (select value from json_each(?))
order by attempt_id
