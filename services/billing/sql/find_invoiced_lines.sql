-- Lines of issued invoices that billed the lines $4 of order $2, of its quote $3, or of its delivery notes; oldest invoices first:
-- the invoice, the key of its line, and the line of the order.
with billed as (
  select source.document, asked.line, asked.line as order_line
  from unnest($4::text[]) as asked (line)
  cross join (values ($2), ($3)) as source (document)
  where source.document <> ''
  union all
  select billable_line.document, billable_line.line, billable_line.parent_line
  from delivery_note
  join billable_line on billable_line.tenant_id = $1 and billable_line.document = delivery_note.document
  where delivery_note.tenant_id = $1 and delivery_note.order_name = $2 and billable_line.parent_document = $2
    and billable_line.parent_line = any($4)
)
select invoice.id, invoiced.line ->> 'key', billed.order_line
from billed
join invoice on invoice.tenant_id = $1 and invoice.source_document = billed.document
cross join lateral jsonb_array_elements(invoice.lines) as invoiced (line)
where invoiced.line ->> 'source_line' = billed.line and invoice.source_document <> '' and invoice.delete_time is null
  and invoice.state in ('ISSUED', 'SENT')
order by invoice.id, billed.order_line, invoiced.line ->> 'key'
