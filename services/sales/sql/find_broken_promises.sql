-- At most $2 orders of all tenants for which something was promised before day $1 that has not arrived.
select tenant_id, id
from sales_order
where next_promised_date < $1
order by next_promised_date, tenant_id, id
limit $2
