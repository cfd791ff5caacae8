-- What comes after position $2 in tenant $1's part of the log, at most $3 rows?
with c as materialized (select set_config('trato.tenant_id', $1, true) as tenant)
select found.*
from c, lateral (
  select
    event.position, event.id, event.tenant_id, event.type, event.subject, event.revision, event.event_time,
    event.create_time, event.actor, event.cause, event.traceparent, event.owner, event.team, event.payload
  from platform.event event
  where event.tenant_id = c.tenant::uuid and event.position > $2
  order by event.position
  limit $3
) found
order by found.position
