-- What comes next in the log after position $1, at most $2 rows, across tenants?
select
  position, id, tenant_id, type, subject, revision, event_time, create_time,
  actor, cause, traceparent, owner, team, payload
from platform.event
where position > $1
order by position
limit $2
