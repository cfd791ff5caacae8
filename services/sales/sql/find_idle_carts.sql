-- Open carts of any tenant that nobody has written since $1; at most $2 of them, those of a tenant together.
select tenant_id, id
from cart
where state = 'OPEN' and delete_time is null and last_activity_time <= $1
order by tenant_id, last_activity_time, id
limit $2
