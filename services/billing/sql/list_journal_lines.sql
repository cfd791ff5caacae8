-- The lines of the first $7 postings of legal entity $2 from day $3 to day $4, after that of day $5 and id $6.
select posting.id, entry.line, posting.date, posting.kind, posting.document, posting.description, posting.account,
  entry.account_code, entry.tax, posting.currency_code, entry.debit, entry.credit, posting.base_currency_code,
  entry.base_debit, entry.base_credit, posting.rate, entry.role
from (
  select posting.tenant_id, posting.id, posting.date, posting.kind, posting.document, posting.description,
    posting.account, posting.currency_code, posting.base_currency_code, posting.rate
  from posting
  where posting.tenant_id = $1 and posting.legal_entity = $2 and posting.date between $3 and $4
    and ($5::date is null or (posting.date, posting.id) > ($5, $6))
  order by posting.date, posting.id
  limit $7
) posting
join ledger_entry entry on entry.tenant_id = posting.tenant_id and entry.posting = posting.id
order by posting.date, posting.id, entry.line
