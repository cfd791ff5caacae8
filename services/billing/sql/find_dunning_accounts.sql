-- Accounts of tenant $1 after $4 that owe something overdue in the books $2 on their days $3, or whose dunning is active there;
-- only $5 where it is given, and the first $6.
with book as (
  select legal_entity, as_of from unnest($2::uuid[], $3::date[]) as book (legal_entity, as_of)
),
item as (
  select posting.account
  from book
  join posting on posting.tenant_id = $1 and posting.legal_entity = book.legal_entity and posting.date <= book.as_of
  join ledger_entry entry on entry.tenant_id = posting.tenant_id and entry.posting = posting.id and entry.role = 'RECEIVABLE'
  left join invoice on invoice.tenant_id = entry.tenant_id and invoice.id = entry.invoice
  where ($4::uuid is null or posting.account > $4) and ($5::uuid is null or posting.account = $5)
    and coalesce(invoice.due_date, posting.date) < book.as_of
  group by posting.account, posting.legal_entity, posting.currency_code, entry.invoice,
    case when entry.invoice is null then posting.date end
  having sum(entry.debit::numeric - entry.credit) > 0
)
select account from item
union
select state.account
from dunning_state state
where state.tenant_id = $1 and state.state = 'ACTIVE' and state.legal_entity = any($2)
  and ($4::uuid is null or state.account > $4) and ($5::uuid is null or state.account = $5)
order by account
limit $6
