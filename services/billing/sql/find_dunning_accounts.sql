-- The first $6 accounts of tenant $1 after $4 that have postings or active dunning, only $5 where it is given; and of each whether
-- it owes something overdue in the books $2 on their days $3, or its dunning is active there. Only their own postings are read.
with book as (
  select legal_entity, as_of from unnest($2::uuid[], $3::date[]) as book (legal_entity, as_of)
),
payer as (
  (
    select distinct posting.account
    from posting
    where posting.tenant_id = $1
      and posting.account > coalesce($4::uuid, '00000000-0000-0000-0000-000000000000')
      and posting.account >= coalesce($5::uuid, '00000000-0000-0000-0000-000000000000')
      and posting.account <= coalesce($5::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
    order by posting.account
    limit $6
  )
  union
  (
    select distinct state.account
    from dunning_state state
    where state.tenant_id = $1 and state.state = 'ACTIVE'
      and state.account > coalesce($4::uuid, '00000000-0000-0000-0000-000000000000')
      and state.account >= coalesce($5::uuid, '00000000-0000-0000-0000-000000000000')
      and state.account <= coalesce($5::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
    order by state.account
    limit $6
  )
  order by account
  limit $6
),
late as (
  select posting.account
  from payer
  join posting on posting.tenant_id = $1 and posting.account = payer.account
  join book on book.legal_entity = posting.legal_entity and posting.date <= book.as_of
  join ledger_entry entry on entry.tenant_id = posting.tenant_id and entry.posting = posting.id and entry.role = 'RECEIVABLE'
  left join invoice on invoice.tenant_id = entry.tenant_id and invoice.id = entry.invoice
  where coalesce(invoice.due_date, posting.date) < book.as_of
  group by posting.account, posting.legal_entity, posting.currency_code, entry.invoice,
    case when entry.invoice is null then posting.date end
  having sum(entry.debit::numeric - entry.credit) > 0
),
active as (
  select state.account
  from payer
  join dunning_state state on state.tenant_id = $1 and state.account = payer.account
  where state.state = 'ACTIVE' and state.legal_entity = any($2)
)
select payer.account, payer.account in (select late.account from late) or payer.account in (select active.account from active)
from payer
order by payer.account
