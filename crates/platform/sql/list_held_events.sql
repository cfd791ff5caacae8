-- Which events are in state $1 (tenant $2, consumer $3 and event $4 where given), oldest first, at most $5?
select
  held.tenant_id, held.consumer, held.event_id, held.subject, held.revision, held.state, held.create_time,
  held.update_time, held.attempts, held.reason, held.message, held.metadata, held.payload,
  (select count(*)
   from platform.inbox behind
   where behind.tenant_id = held.tenant_id and behind.consumer = held.consumer and behind.subject = held.subject
     and behind.state = 'WAITING') as waiting
from platform.inbox held
where held.state in ('PARKED', 'WAITING') and held.state = $1
  and ($2::uuid is null or held.tenant_id = $2)
  and ($3::text is null or held.consumer = $3)
  and ($4::uuid is null or held.event_id = $4)
order by held.create_time, held.tenant_id, held.consumer, held.subject, held.revision
limit $5
