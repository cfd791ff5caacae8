-- The order that an invoice is of, made from the order, the quote or the delivery note $2; and, of a delivery note, its
-- lines.
select sales_order.id, null::jsonb as lines
from sales_order
where tenant_id = $1 and (id = $2 or quote = $2)
union all
select order_id, lines
from delivery_note
where tenant_id = $1 and id = $2 and state <> 'DRAFT'
limit 1
