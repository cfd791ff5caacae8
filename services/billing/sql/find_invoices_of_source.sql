-- The last invoice of document $2; and the last draft that has taken of lines $4 of documents $3, or of lines of delivery notes that
-- count for these.
with taken as (
  select asked.document, asked.line
  from unnest($3::text[], $4::text[]) as asked (document, line)
  union
  select billable_line.document, billable_line.line
  from unnest($3::text[], $4::text[]) as asked (document, line)
  join delivery_note on delivery_note.tenant_id = $1 and delivery_note.order_name = asked.document
  join billable_line on billable_line.tenant_id = $1 and billable_line.document = delivery_note.document
    and billable_line.parent_document = asked.document and billable_line.parent_line = asked.line
)
select (
  select invoice.id
  from invoice
  where invoice.tenant_id = $1 and invoice.source_document = $2 and invoice.source_document <> ''
    and invoice.delete_time is null and invoice.state <> 'VOID'
  order by invoice.id desc
  limit 1
), (
  select invoice.id
  from invoice
  cross join lateral jsonb_array_elements(invoice.lines) as own (line)
  join taken on taken.document = invoice.source_document and taken.line = own.line ->> 'source_line'
  where invoice.tenant_id = $1 and invoice.source_document in (select taken.document from taken)
    and invoice.source_document <> '' and invoice.state = 'DRAFT' and invoice.delete_time is null
  order by invoice.id desc
  limit 1
)
