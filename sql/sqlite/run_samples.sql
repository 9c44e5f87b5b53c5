-- The attempts that a finished run rests on, one a sample, whichever run made them.
select attempts.sample_key, template_id, replicate, ordinal, status, prob_true, answer_text, problem, model_resolved,
  system_fingerprint, tokens_in, tokens_out, attempts.started_at, latency_ms
from execution_samples
join attempts using (attempt_id)
join executions on executions.execution_id = execution_samples.execution_id
where executions.run_id = ? and executions.outcome = 'finished'
order by template_id, replicate
