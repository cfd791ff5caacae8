-- Zone of legal entity $2 of tenant $1, else of the one that was recorded first.
select time_zone
from legal_entity
where tenant_id = $1 and delete_time is null and ($2::uuid is null or id = $2)
order by id
limit 1
