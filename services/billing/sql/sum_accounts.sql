-- What was posted to each account of legal entity $2 through day $3, in the currency of its books.
select entry.account_code, posting.base_currency_code, sum(entry.base_debit)::bigint, sum(entry.base_credit)::bigint
from posting
join ledger_entry entry on entry.tenant_id = posting.tenant_id and entry.posting = posting.id
where posting.tenant_id = $1 and posting.legal_entity = $2 and posting.date <= $3
group by entry.account_code, posting.base_currency_code
order by entry.account_code, posting.base_currency_code
