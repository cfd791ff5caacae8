-- What did account $2 owe in currency $3, to legal entity $4 or to all of them, before day $5?
select coalesce(sum(entry.debit::numeric - entry.credit), 0)::bigint
from posting
join ledger_entry entry on entry.tenant_id = posting.tenant_id and entry.posting = posting.id
  and entry.role in ('RECEIVABLE', 'UNALLOCATED')
where posting.tenant_id = $1 and posting.account = $2 and posting.currency_code = $3
  and ($4::uuid is null or posting.legal_entity = $4) and posting.date < $5
