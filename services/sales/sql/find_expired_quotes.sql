-- Sent quotes of any tenant whose last day of validity, in UTC, was over at $1; at most $2 of them, those of a tenant together.
select tenant_id, id
from quote
where state = 'SENT' and valid_until < ($1::timestamptz at time zone 'UTC')::date
order by tenant_id, valid_until, id
limit $2
