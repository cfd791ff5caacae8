-- What does account $2 owe by its invoices, and what has it paid that is not allocated, by currency? The sum of what is open, so
-- that less is read than ever was: it is what all postings of the account come to. What was posted of
-- a ledger is a balance that was taken over before such were invoices and payments. What is paid out is never allocated.
with item as (
  select invoice.currency_code, invoice.open::numeric as invoiced, 0::numeric as unallocated
  from invoice
  where invoice.tenant_id = $1 and invoice.account = $2 and invoice.open <> 0 and invoice.books <> 'null'
  union all
  select payment.currency_code, 0, case payment.direction
    when 'IN' then payment.amount - payment.allocated - payment.refunded
    else -payment.amount
  end
  from payment
  where payment.tenant_id = $1 and payment.account = $2 and payment.state in ('SUCCEEDED', 'PARTLY_REFUNDED')
    and payment.amount <> payment.allocated + payment.refunded
  union all
  select posting.currency_code, entry.debit - entry.credit, 0
  from posting
  join ledger_entry entry on entry.tenant_id = posting.tenant_id and entry.posting = posting.id
    and entry.role = 'RECEIVABLE' and entry.invoice is null
  where posting.tenant_id = $1 and posting.account = $2 and posting.kind = 'OPENING' and posting.document like 'ledgers/%'
)
select item.currency_code, sum(item.invoiced)::bigint, sum(item.unallocated)::bigint
from item
group by item.currency_code
