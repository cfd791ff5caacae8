-- How many committed events are not published, and how many seconds old the first of them is. Counting stops at 100,000
-- events without a number: it is asked every few seconds.
select
  lease.numbered - lease.published + (
    select count(*)
    from (select from platform.event where position is null limit 100000) unnumbered
  ),
  extract(epoch from clock_timestamp() - coalesce(
    (
      select event.create_time
      from platform.event event
      where event.position > lease.published
      order by event.position
      limit 1
    ),
    (
      select event.create_time
      from platform.event event
      where event.position is null
      order by event.seq
      limit 1
    )
  ))::float8
from platform.lease lease
where lease.name = $1
