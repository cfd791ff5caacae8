-- What account $2 owes in the books $3 on their days $4 and has paid without allocation, by legal entity, currency, invoice
-- and the day it was due; no day for what it has paid. One more than there may be: dunning by a part of them would be wrong.
with book as (
  select legal_entity, as_of from unnest($3::uuid[], $4::date[]) as book (legal_entity, as_of)
)
select posting.legal_entity, posting.currency_code, entry.invoice, coalesce(invoice.number, ''),
  case when entry.role = 'RECEIVABLE' then coalesce(invoice.due_date, posting.date) end,
  sum(entry.debit::numeric - entry.credit)::bigint
from book
join posting on posting.tenant_id = $1 and posting.account = $2 and posting.legal_entity = book.legal_entity
  and posting.date <= book.as_of
join ledger_entry entry on entry.tenant_id = posting.tenant_id and entry.posting = posting.id
  and entry.role in ('RECEIVABLE', 'UNALLOCATED')
left join invoice on invoice.tenant_id = entry.tenant_id and invoice.id = entry.invoice
group by 1, 2, 3, 4, 5
having sum(entry.debit::numeric - entry.credit) <> 0
order by 1, 2, 5, 3
limit 50001
