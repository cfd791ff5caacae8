-- Which of these events (consumers $2, ids $3, subjects $4, revisions $5) of tenant $1 are new, and which are held up?
with item as materialized (
  select consumer, event_id, subject, revision, ordinal
  from unnest($2::text[], $3::uuid[], $4::text[], $5::bigint[]) with ordinality
    as item (consumer, event_id, subject, revision, ordinal)
), held as materialized (
  select distinct inbox.consumer, inbox.subject
  from item
  join platform.inbox inbox
    on inbox.tenant_id = $1 and inbox.consumer = item.consumer and inbox.subject = item.subject
    and inbox.state in ('PARKED', 'WAITING')
), fresh as (
  insert into platform.inbox (tenant_id, consumer, event_id, subject, revision, state)
  select $1, item.consumer, item.event_id, item.subject, item.revision, 'DONE'
  from item
  where not exists (select from held where held.consumer = item.consumer and held.subject = item.subject)
  order by item.ordinal
  on conflict (tenant_id, consumer, event_id) do nothing
  returning consumer, event_id
)
select
  case when held.subject is not null then 'HELD' when fresh.event_id is not null then 'FRESH' else 'SEEN' end
from item
left join fresh on fresh.consumer = item.consumer and fresh.event_id = item.event_id
left join held on held.consumer = item.consumer and held.subject = item.subject
order by item.ordinal
