-- True where nothing of document $2 may be invoiced any more, and no draft but $3 has taken of a document that shares what is invoiced
-- of it: of what it counts for, of the orders that quotes among these have become, or of a delivery note of any of them. An order that
-- costs nothing, for which no credit was asked, is not found by its quote.
with recursive reached as (
  select billable_line.line as asked, billable_line.document, billable_line.parent_document, billable_line.parent_line,
    billable_line.basis - billable_line.invoiced + billable_line.credited as rest
  from billable_line
  where billable_line.tenant_id = $1 and billable_line.document = $2
  union all
  select reached.asked, parent.document, parent.parent_document, parent.parent_line,
    parent.basis - parent.invoiced + parent.credited
  from reached
  join billable_line parent on parent.tenant_id = $1 and parent.document = reached.parent_document
    and parent.line = reached.parent_line
), agreed as (
  select reached.document
  from reached
  union
  select credit_reservation.order_name
  from credit_reservation
  where credit_reservation.tenant_id = $1 and credit_reservation.quote in (select reached.document from reached)
    and credit_reservation.quote <> ''
), sharing as (
  select agreed.document
  from agreed
  union
  select delivery_note.document
  from delivery_note
  where delivery_note.tenant_id = $1 and delivery_note.order_name in (select agreed.document from agreed)
)
select exists (select from reached)
  and not exists (select from reached group by reached.asked having min(reached.rest) > 0)
  and not exists (
    select
    from invoice
    where invoice.tenant_id = $1 and invoice.source_document in (select sharing.document from sharing)
      and invoice.source_document <> '' and invoice.state = 'DRAFT' and invoice.delete_time is null and invoice.id <> $3
      and exists (
        select from jsonb_array_elements(invoice.lines) as own (line) where own.line ->> 'source_line' <> ''
      )
  )
