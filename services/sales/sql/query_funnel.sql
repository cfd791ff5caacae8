-- The funnel: counts and sums of the opportunities of tenant $1 that scope and filter admit, in pipeline $3 if one is
-- given, with close dates from $4 to $5 if given, split by dimension $6 into at most $7 groups. One statement, so that
-- all figures are of one instant; each history is unfolded beside its own row, so that no plan can join them badly.
-- The two marked conditions are put in by funnel/store.rs.
with route as materialized (
  select
    pipeline.id as pipeline, pipeline.stages,
    array(
      select item.stage ->> 'key'
      from jsonb_array_elements(pipeline.stages) with ordinality as item (stage, position)
      order by item.position
    ) as keys
  from pipeline
  where pipeline.tenant_id = $1::uuid
),
seen as materialized (
  select
    r.pipeline, r.stage, r.state, r.amount, r.currency, r.history, route.keys,
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
    ) as key,
    -- From the first known step to the close; a close of which nothing before is known has no length.
    r.close_time - (
      select min((item.step ->> 'event_time')::timestamptz)
      from jsonb_array_elements(r.history - -1) as item (step)
    ) as cycle
  from opportunity r
  join route on route.pipeline = r.pipeline
  left join platform.directory_team team
    on $6 = 'REGION' and team.tenant_id = r.tenant_id and team.id = r.team
  where r.tenant_id = $1
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
figure as (
  select
    key, pipeline, stage, state, currency,
    count(*) as count,
    count(amount) as known,
    coalesce(sum(amount), 0)::text as amount,
    count(cycle) as cycles,
    coalesce(sum((extract(epoch from cycle) * 1000000)::bigint), 0)::text as cycle_micros
  from seen
  group by key, pipeline, stage, state, currency
),
walked as materialized (
  select seen.key, seen.pipeline, step.*
  from seen, lateral (
    select
      step.from_stage, step.from_state, step.to_stage,
      step.event_time - lag(step.event_time) over earlier as stay,
      -- An opportunity enters a stage once, however often it comes back; what follows the first time is what counts.
      row_number() over (partition by step.to_stage order by step.ordinal) = 1 as enters,
      seen.state = 'WON'
        or coalesce(
          max(step.position) over later > step.position,
          false
        ) as advances
    from (
      select
        item.ordinal,
        item.step -> 'from' ->> 'stage' as from_stage,
        item.step -> 'from' ->> 'state' as from_state,
        item.step -> 'to' ->> 'stage' as to_stage,
        (item.step ->> 'event_time')::timestamptz as event_time,
        array_position(seen.keys, item.step -> 'to' ->> 'stage') as position
      from jsonb_array_elements(seen.history) with ordinality as item (step, ordinal)
    ) step
    window
      earlier as (order by step.ordinal),
      later as (order by step.ordinal rows between 1 following and unbounded following)
  ) step
),
entry as (
  select key, pipeline, to_stage as stage, count(*) as entered, count(*) filter (where advances) as advanced
  from walked
  where enters
  group by key, pipeline, to_stage
),
stay as (
  select
    key, pipeline, from_stage as stage,
    count(*) as stays,
    sum((extract(epoch from stay) * 1000000)::bigint)::text as stay_micros
  from walked
  where from_state = 'OPEN' and stay is not null
  group by key, pipeline, from_stage
),
label as (
  select 'members/' || member.subject as key, member.display_name
  from platform.directory_member member
  where $6 = 'OWNER' and member.tenant_id = $1
  union all
  select 'teams/' || team.id, team.display_name
  from platform.directory_team team
  where $6 = 'TEAM' and team.tenant_id = $1
  union all
  select 'products/' || product.id, product.display_name
  from product
  where $6 = 'PRODUCT' and product.tenant_id = $1
)
select
  statement_timestamp() as read_time,
  size.groups,
  jsonb_build_object(
    'figures', (select coalesce(jsonb_agg(to_jsonb(figure)), '[]') from figure where size.groups <= $7::bigint),
    'entries', (select coalesce(jsonb_agg(to_jsonb(entry)), '[]') from entry where size.groups <= $7),
    'stays', (select coalesce(jsonb_agg(to_jsonb(stay)), '[]') from stay where size.groups <= $7),
    'labels', (
      select coalesce(jsonb_agg(to_jsonb(label)), '[]')
      from label
      where size.groups <= $7 and label.key in (select key from seen)
    ),
    'routes', (
      select coalesce(jsonb_agg(jsonb_build_object('pipeline', route.pipeline, 'stages', route.stages)), '[]')
      from route
      where route.pipeline = $3 or route.pipeline in (select pipeline from seen)
    )
  ) as counted
from size
