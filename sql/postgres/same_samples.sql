-- The newest check of the last days that itself asked for all the samples of a configuration, whatever it made of
-- them, or with $6 for its readouts: $5, a list in JSON, names the parts of a configuration that none of them
-- depends on.
select run_id
from checks
where claim_hash = $1
  and model = $2
  and created_at > now() - $3::interval
  and not was_cached
  and case
    when $6 then exists (select from readouts where readouts.run_id = checks.run_id)
    else samples_reused = 0
  end
  and deleted_at is null
  and config_json - array(select jsonb_array_elements_text($5::text::jsonb))
    = $4::text::jsonb - array(select jsonb_array_elements_text($5::text::jsonb))
order by created_at desc
limit 1
