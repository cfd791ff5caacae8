-- The latest $4 payments that account $2 had made by day $3, before that of day $5 and id $6, and what of each was left then.
select payment.id, payment.date, payment.currency_code, payment.amount, (
  select coalesce(sum(entry.credit::numeric - entry.debit), 0)::bigint
  from posting
  join ledger_entry entry on entry.tenant_id = posting.tenant_id and entry.posting = posting.id
    and entry.role = 'UNALLOCATED'
  where posting.tenant_id = payment.tenant_id and posting.document = 'payments/' || payment.id and posting.date <= $3
)
from payment
where payment.tenant_id = $1 and payment.account = $2 and payment.date <= $3 and payment.direction = 'IN'
  and ($5::date is null or (payment.date, payment.id) < ($5, $6))
  and payment.state in ('SUCCEEDED', 'PARTLY_REFUNDED', 'REFUNDED', 'CHARGED_BACK')
order by payment.date desc, payment.id desc
limit $4
