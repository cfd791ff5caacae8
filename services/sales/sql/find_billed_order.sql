-- The order that an invoice is of, made from the order, the quote or the delivery note $2; and, of a delivery note, its
-- lines.
select id, null::jsonb as lines
from sales_order
where tenant_id = $1 and id = $2
union all
select id, null
from sales_order
where tenant_id = $1 and quote = $2 and delete_time is null
union all
select order_id, lines
from delivery_note
where tenant_id = $1 and id = $2 and state <> 'DRAFT'
limit 1
