-- The readouts that a finished run rests on, one a template, whichever run made them.
select readouts.readout_key, template_id, ordinal, status, prob_true, mass_true, mass_false, tokens_json, answer_text,
  problem, temperature, model_resolved, system_fingerprint, tokens_in, tokens_out, readouts.started_at, latency_ms
from execution_readouts
join readouts using (readout_id)
join executions on executions.execution_id = execution_readouts.execution_id
where executions.run_id = ? and executions.outcome = 'finished'
order by template_id
