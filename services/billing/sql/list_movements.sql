-- What moved what account $2 owes in currency $3, to legal entity $4 or to all of them, from day $5 to day $6: the first $7.
select posting.date, posting.kind, posting.document, posting.description,
  sum(entry.debit::numeric - entry.credit)::bigint as amount
from posting
join ledger_entry entry on entry.tenant_id = posting.tenant_id and entry.posting = posting.id
  and entry.role in ('RECEIVABLE', 'UNALLOCATED')
where posting.tenant_id = $1 and posting.account = $2 and posting.currency_code = $3
  and ($4::uuid is null or posting.legal_entity = $4)
  and ($5::date is null or posting.date >= $5) and ($6::date is null or posting.date <= $6)
group by posting.tenant_id, posting.id
having sum(entry.debit::numeric - entry.credit) <> 0
order by posting.date, posting.id
limit $7
