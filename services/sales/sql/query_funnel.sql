-- The funnel: counts and sums of the opportunities of tenant $1 that scope and filter admit, in pipeline $3 if one is
-- given, with close dates from $4 to $5 if given, split by dimension $6 into at most $7 groups. One statement, so that
-- all figures are of one instant. The two marked conditions are put in by funnel/store.rs.
with seen as materialized (
  select
    r.id, r.pipeline, r.stage, r.state, r.amount, r.currency, r.close_time, r.history,
    coalesce(
      case $6::text
        when 'OWNER' then 'members/' || r.owner
        when 'TEAM' then 'teams/' || r.team
        when 'REGION' then team.region
        when 'PRODUCT' then 'products/' || r.product
        when 'CLOSE_MONTH' then to_char(r.close_date, 'YYYY-MM')
        when 'CLOSE_QUARTER' then to_char(r.close_date, 'YYYY-"Q"Q')
      end,
      ''
    ) as key
  from opportunity r
  left join platform.directory_team team
    on $6 = 'REGION' and team.tenant_id = r.tenant_id and team.id = r.team
  where r.tenant_id = $1::uuid
    and r.delete_time is null
    and ($3::uuid is null or r.pipeline = $3)
    and ($4::date is null or r.close_date >= $4)
    and ($5::date is null or r.close_date <= $5)
    and ($2::text is null /* scope */)
    and (true /* filter */)
),
size as (
  select count(distinct key) as groups from seen
),
place as (
  select pipeline.id as pipeline, item.stage ->> 'key' as stage, item.position
  from pipeline, jsonb_array_elements(pipeline.stages) with ordinality as item (stage, position)
  where pipeline.tenant_id = $1 and pipeline.id in (select pipeline from seen)
),
step as (
  select
    seen.id, seen.key, seen.pipeline, seen.state, item.ordinal,
    item.step -> 'from' ->> 'stage' as from_stage,
    item.step -> 'from' ->> 'state' as from_state,
    item.step -> 'to' ->> 'stage' as to_stage,
    (item.step ->> 'event_time')::timestamptz as event_time,
    item.ordinal = jsonb_array_length(seen.history) as is_last
  from seen, jsonb_array_elements(seen.history) with ordinality as item (step, ordinal)
),
walked as (
  select
    step.*,
    lag(step.event_time) over earlier as previous_time,
    -- The latest stage it came to afterwards.
    max(place.position) over later as reach,
    place.position
  from step
  left join place on place.pipeline = step.pipeline and place.stage = step.to_stage
  window
    earlier as (partition by step.id order by step.ordinal),
    later as (partition by step.id order by step.ordinal rows between 1 following and unbounded following)
),
cycle as (
  -- From the first known step to the close; a close of which nothing before is known has no length.
  select seen.id, seen.close_time - min(step.event_time) filter (where not step.is_last) as length
  from seen
  join step on step.id = seen.id
  where seen.state <> 'OPEN'
  group by seen.id, seen.close_time
),
figure as (
  select
    seen.key, seen.pipeline, seen.stage, seen.state, seen.currency,
    count(*) as count,
    count(seen.amount) as known,
    coalesce(sum(seen.amount), 0)::text as amount,
    count(cycle.length) as cycles,
    coalesce(sum((extract(epoch from cycle.length) * 1000000)::bigint), 0)::text as cycle_micros
  from seen
  left join cycle on cycle.id = seen.id
  group by seen.key, seen.pipeline, seen.stage, seen.state, seen.currency
),
entry as (
  select key, pipeline, stage, count(*) as entered, count(*) filter (where advanced) as advanced
  from (
    select
      key, pipeline, id, to_stage as stage,
      bool_or(state = 'WON' or coalesce(reach > position, false)) as advanced
    from walked
    group by key, pipeline, id, to_stage
  ) visit
  group by key, pipeline, stage
),
stay as (
  select
    key, pipeline, from_stage as stage,
    count(*) as stays,
    sum((extract(epoch from event_time - previous_time) * 1000000)::bigint)::text as stay_micros
  from walked
  where from_state = 'OPEN' and event_time is not null and previous_time is not null
  group by key, pipeline, from_stage
),
label as (
  select 'members/' || member.subject as key, member.display_name
  from platform.directory_member member
  where $6 = 'OWNER' and member.tenant_id = $1 and 'members/' || member.subject in (select key from seen)
  union all
  select 'teams/' || team.id, team.display_name
  from platform.directory_team team
  where $6 = 'TEAM' and team.tenant_id = $1 and 'teams/' || team.id in (select key from seen)
  union all
  select 'products/' || product.id, product.display_name
  from product
  where $6 = 'PRODUCT' and product.tenant_id = $1 and 'products/' || product.id in (select key from seen)
),
route as (
  select pipeline.id as pipeline, pipeline.stages
  from pipeline
  where pipeline.tenant_id = $1 and (pipeline.id = $3 or pipeline.id in (select pipeline from seen))
)
select
  statement_timestamp() as read_time,
  size.groups,
  jsonb_build_object(
    'figures', (select coalesce(jsonb_agg(to_jsonb(figure)), '[]') from figure where size.groups <= $7::bigint),
    'entries', (select coalesce(jsonb_agg(to_jsonb(entry)), '[]') from entry where size.groups <= $7),
    'stays', (select coalesce(jsonb_agg(to_jsonb(stay)), '[]') from stay where size.groups <= $7),
    'labels', (select coalesce(jsonb_agg(to_jsonb(label)), '[]') from label where size.groups <= $7),
    'routes', (select coalesce(jsonb_agg(to_jsonb(route)), '[]') from route)
  ) as counted
from size
