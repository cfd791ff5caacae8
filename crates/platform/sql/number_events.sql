-- Gives the next positions to at most $3 committed rows, if the lease $1 is still of epoch $2, which it extends by $4 s.
with fresh as materialized (
  select seq, create_time
  from platform.event
  where position is null
  order by seq
  limit $3
), term as (
  -- Waits for a predecessor's statement; if the epoch changed meanwhile there is no row, and nothing is numbered.
  update platform.lease
  set
    numbered = numbered + (select count(*) from fresh),
    expire_time = clock_timestamp() + make_interval(secs => $4)
  where name = $1 and epoch = $2 and exists (select from fresh)
  returning numbered - (select count(*) from fresh) as base
), place as materialized (
  select fresh.seq, fresh.create_time, term.base + row_number() over (order by fresh.seq) as position
  from fresh, term
)
update platform.event event
set position = place.position
from place
where event.seq = place.seq and event.create_time = place.create_time and event.position is null
returning
  event.position, event.id, event.tenant_id, event.type, event.subject, event.revision, event.event_time,
  event.create_time, event.actor, event.cause, event.traceparent, event.owner, event.team, event.payload
