-- What is in the log after position $1, up to $2 (tenant $3, recorded since $4 where given), at most $5 rows?
select
  position, id, tenant_id, type, subject, revision, event_time, create_time,
  actor, cause, traceparent, owner, team, payload
from platform.event
where position > $1 and position <= $2
  and ($3::uuid is null or tenant_id = $3)
  and ($4::timestamptz is null or create_time >= $4)
order by position
limit $5
