-- Those of the carts $2 of tenant $1 that are still open and that nobody has written since $3, locked in one order. What
-- somebody else holds is left to the next run: he may be writing it.
select id
from cart
where tenant_id = $1 and id = any($2::uuid[]) and state = 'OPEN' and delete_time is null and last_activity_time <= $3
order by id
for update skip locked
