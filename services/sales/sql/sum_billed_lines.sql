-- What billing has invoiced and credited in all of each line of order $2.
select order_line, sum(invoiced), sum(credited)
from billed_line
where tenant_id = $1 and order_id = $2
group by order_line
