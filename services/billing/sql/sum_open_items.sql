-- What is open on day $4 by the days since it was due, of account $2 and legal entity $3 or of all, for each account and
-- currency where $5, else for each currency: the first $8 after account $6 and currency $7.
with item as (
  select posting.account, posting.currency_code, entry.role = 'UNALLOCATED' as is_paid,
    $4::date - case when entry.role = 'RECEIVABLE' then coalesce(invoice.due_date, posting.date) end as late,
    sum(entry.debit::numeric - entry.credit) as open
  from posting
  join ledger_entry entry on entry.tenant_id = posting.tenant_id and entry.posting = posting.id
    and entry.role in ('RECEIVABLE', 'UNALLOCATED')
  left join invoice on invoice.tenant_id = entry.tenant_id and invoice.id = entry.invoice
  where posting.tenant_id = $1 and posting.date <= $4 and ($2::uuid is null or posting.account = $2)
    and ($3::uuid is null or posting.legal_entity = $3)
    and ($6::uuid is null or (posting.account, posting.currency_code) > ($6, $7))
  group by 1, 2, 3, 4
),
bucket as (
  select case when $5 then account end as account, currency_code,
    coalesce(sum(open) filter (where not is_paid and late <= 0), 0)::bigint as not_due,
    coalesce(sum(open) filter (where late between 1 and 30), 0)::bigint as days_1_to_30,
    coalesce(sum(open) filter (where late between 31 and 60), 0)::bigint as days_31_to_60,
    coalesce(sum(open) filter (where late between 61 and 90), 0)::bigint as days_61_to_90,
    coalesce(sum(open) filter (where late > 90), 0)::bigint as days_over_90,
    coalesce(-sum(open) filter (where is_paid), 0)::bigint as unallocated
  from item
  group by 1, 2
)
select account, currency_code, not_due, days_1_to_30, days_31_to_60, days_61_to_90, days_over_90, unallocated
from bucket
where (not_due, days_1_to_30, days_31_to_60, days_61_to_90, days_over_90, unallocated) <> (0, 0, 0, 0, 0, 0)
order by account, currency_code
limit $8
