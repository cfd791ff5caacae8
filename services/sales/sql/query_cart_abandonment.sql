-- How far carts got: those of tenant $1 that scope and filter admit, created from $3 on and before $4 where given, counted
-- by their furthest step, the step at which they were abandoned last, and their state. One statement, so that all figures
-- are of one instant. The two marked conditions are put in by cart/question.rs.
with slice as (
  select r.furthest_step, r.abandon_step, r.state, count(*) as count
  from cart r
  where r.tenant_id = $1::uuid
    and r.delete_time is null
    and ($3::timestamptz is null or r.create_time >= $3)
    and ($4::timestamptz is null or r.create_time < $4)
    and ($2::text is null /* scope */)
    and (true /* filter */)
  group by r.furthest_step, r.abandon_step, r.state
)
select
  statement_timestamp() as read_time,
  coalesce(jsonb_agg(to_jsonb(slice)), '[]') as slices
from slice
