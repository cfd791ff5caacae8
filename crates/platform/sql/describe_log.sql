-- How far is the log, what waits in it, who leads it, and what time is it there?
with relay as (
  select numbered, published, expire_time from platform.lease where name = 'relay'
), waiting as materialized (
  select event.position, event.create_time
  from platform.event event
  where event.position is null or event.position > coalesce((select published from relay), 0)
)
select
  (select numbered from relay) as numbered,
  (select published from relay) as published,
  (select count(*) from waiting where position is null) as unnumbered,
  (select count(*) from waiting where position is not null) as unpublished,
  (select extract(epoch from clock_timestamp() - min(create_time))::float8 from waiting) as oldest_seconds,
  (select extract(epoch from expire_time - clock_timestamp())::float8 from relay) as lease_seconds,
  (select count(*) from platform.lease where name like 'job/%' and expire_time < clock_timestamp() - interval '1 hour')
    as late_jobs,
  (select coalesce(sum(greatest(reltuples, 0)), 0)::bigint
   from pg_class where relnamespace = 'platform'::regnamespace and relispartition and relkind = 'r') as events_estimated,
  to_regclass('platform.event_' || to_char((now() at time zone 'UTC') + interval '1 month', 'YYYY_MM')) is not null
    as partition_ahead,
  (select n_live_tup from pg_stat_all_tables where relid = 'platform.event_default'::regclass) as misplaced,
  clock_timestamp() as clock
