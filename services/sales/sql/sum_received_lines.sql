-- How much has come back of each line of delivery note $2 by returns other than $3, without what went to the customer again.
select line.value ->> 'delivery_line', sum((line.value -> 'received' ->> 'quantity')::numeric)
from sales_return
cross join jsonb_array_elements(sales_return.lines) as line (value)
where sales_return.tenant_id = $1
  and sales_return.delivery_note = $2
  and sales_return.id <> $3
  and sales_return.receive_time is not null
  and line.value ? 'received'
  and (
    sales_return.end_time is null
    or coalesce(line.value -> 'found' ->> 'disposition', '') not in ('REPAIR', 'REJECT')
  )
group by line.value ->> 'delivery_line'
