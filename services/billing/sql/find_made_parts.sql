-- The invoice of document $2 since id $3 that has quantities $5 of its lines $4 and no others of it, and whether it waits to be issued;
-- draft $6 does not. One that does not comes first.
select invoice.id, invoice.state = 'DRAFT' and invoice.id is distinct from $6 as is_draft
from invoice
where invoice.tenant_id = $1 and invoice.source_document = $2 and invoice.source_document <> '' and invoice.id >= $3
  and invoice.delete_time is null and invoice.state <> 'VOID'
  and not exists (
    select
    from (
      select own.line ->> 'source_line' as line, sum((own.line ->> 'quantity')::numeric) as quantity
      from jsonb_array_elements(invoice.lines) as own (line)
      where own.line ->> 'source_line' <> ''
      group by own.line ->> 'source_line'
    ) as taken
    full join unnest($4::text[], $5::numeric[]) as asked (line, quantity) on asked.line = taken.line
    where asked.quantity is distinct from taken.quantity
  )
order by is_draft, invoice.id
limit 1
