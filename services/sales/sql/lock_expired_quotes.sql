-- Those of the quotes $2 of tenant $1 that are still sent though their last day of validity was over at $3, locked in one
-- order. What somebody else holds is left to the next run: he may be accepting it.
select id
from quote
where tenant_id = $1 and id = any($2::uuid[]) and state = 'SENT'
  and coalesce(valid_before, (valid_until + 1)::timestamp at time zone 'UTC') <= $3::timestamptz
order by id
for update skip locked
