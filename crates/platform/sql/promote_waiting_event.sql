-- Makes the first waiting event of the aggregate $3 (tenant $1, consumer $2) the parked one, if none is.
update platform.inbox
set state = 'PARKED', reason = 'NOT_TRIED', message = 'came after an event that was parked', update_time = now()
where tenant_id = $1 and consumer = $2
  and event_id = (
    select event_id
    from platform.inbox
    where tenant_id = $1 and consumer = $2 and subject = $3 and state = 'WAITING'
    order by revision, create_time, event_id
    limit 1
  )
  and not exists (
    select
    from platform.inbox
    where tenant_id = $1 and consumer = $2 and subject = $3 and state = 'PARKED'
  )
