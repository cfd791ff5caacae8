-- What does account $2 owe by its invoices, and what has it paid that is not allocated, by currency?
select posting.currency_code,
  coalesce(sum(entry.debit::numeric - entry.credit) filter (where entry.role = 'RECEIVABLE'), 0)::bigint,
  coalesce(sum(entry.credit::numeric - entry.debit) filter (where entry.role = 'UNALLOCATED'), 0)::bigint
from posting
join ledger_entry entry on entry.tenant_id = posting.tenant_id and entry.posting = posting.id
  and entry.role in ('RECEIVABLE', 'UNALLOCATED')
where posting.tenant_id = $1 and posting.account = $2
group by posting.currency_code
