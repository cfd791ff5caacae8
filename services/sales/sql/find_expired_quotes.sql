-- Sent quotes of any tenant whose last day of validity was over at $1, where they are made out, which is half a day before it is in
-- UTC at the earliest; at most $2 of them, those of a tenant together.
select tenant_id, id
from quote
where state = 'SENT' and valid_until < ($1::timestamptz at time zone 'UTC')::date + 1
  and coalesce(valid_before, (valid_until + 1)::timestamp at time zone 'UTC') <= $1
order by tenant_id, valid_until, id
limit $2
