-- Every stored readout for the wanted keys (a JSON array), oldest first.
select readout_id, run_id, readout_key, template_id, ordinal, status, prob_true, mass_true, mass_false, tokens_json, answer_text,
  problem, temperature, model_resolved, system_fingerprint, tokens_in, tokens_out, started_at, latency_ms
from readouts
where readout_key in (select value from json_each(?))
order by readout_id
