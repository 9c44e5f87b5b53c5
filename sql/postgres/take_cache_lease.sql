-- Takes the lease on a cache key when it is free: never asked before, expired, or left by its holder.
-- An abandoned computation keeps its run id, so that its stored attempts are used; one older than the resume
-- limit starts afresh. No row comes back when a result is ready or somebody else holds the lease.
insert into result_cache as cached (cache_key, env, state, run_id, generation, lease_expires_at, created_at, expires_at)
values ($1, $2, 'pending', $3, 1, now() + $4::interval, now(), now() + $5::interval)
on conflict (cache_key) do update set
  state = 'pending',
  result = null,
  run_id = case
    when cached.state = 'pending' and cached.created_at > now() - $6::interval then cached.run_id
    else excluded.run_id
  end,
  created_at = case
    when cached.state = 'pending' and cached.created_at > now() - $6::interval then cached.created_at
    else excluded.created_at
  end,
  generation = cached.generation + 1,
  lease_expires_at = excluded.lease_expires_at,
  expires_at = excluded.expires_at
where (cached.state = 'pending' and cached.lease_expires_at <= now())
  or (cached.state = 'ready' and cached.expires_at <= now())
returning run_id, generation
